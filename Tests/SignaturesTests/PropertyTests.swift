import Primitives
import Signatures
import Testing

/// The laws of architecture §2.14: what was signed verifies, and nothing else does.
@Suite struct PropertyTests {
  static let seeds: [UInt64] = [1, 20_261_103, 0xdead_beef]

  @Test(arguments: SignatureClaim.Scheme.allCases, seeds)
  func `any bit changed in what is signed breaks the signature`(scheme: SignatureClaim.Scheme, seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for peer in [try Peer.rsaPeer(), try Peer.ed25519Peer()] {
      for _ in 0..<60 {
        let body = generator.bytes(Int.random(in: 0...200, using: &generator))
        let path = (0..<8).map { _ in String(Int.random(in: 0..<36, using: &generator), radix: 36) }.joined()
        let facts = try peer.request(scheme, body: body, url: "https://here.example/\(path)?page=\(path)")
        #expect(refusal(facts, key: peer.publicKey) == nil, "seed \(seed)")
        let changed = try change(facts, body: body, scheme: scheme, using: &generator)
        #expect(refusal(changed, key: peer.publicKey) != nil, "seed \(seed): \(changed)")
      }
    }
  }

  /// `facts` with one bit turned in its body, its path, its date, its digest, its host or its signature.
  private func change(
    _ facts: RequestFacts, body: [UInt8], scheme: SignatureClaim.Scheme, using generator: inout SeededGenerator
  ) throws -> RequestFacts {
    var changed = facts
    let time = scheme == .cavage ? "date" : "signature-input"
    let digest = scheme == .cavage ? "digest" : "content-digest"
    switch Int.random(in: 0..<7, using: &generator) {
    case 0:
      changed.body = ContentDigest(of: body.isEmpty ? [0] : flip(body, using: &generator))
    case 1:
      // The query is left alone: without it is how old Mastodon signed.
      let path = Array(facts.target.utf8.prefix { $0 != UInt8(ascii: "?") })
      let flipped = String(decoding: flip(path, using: &generator), as: UTF8.self)
      changed.target = flipped + facts.target.dropFirst(path.count)
    case 2: changed.fields = try flip(time, in: facts.fields, using: &generator)
    case 3: changed.fields = try flip(digest, in: facts.fields, using: &generator)
    case 4: changed.fields = try flip("host", in: facts.fields, using: &generator, leavingCase: true)
    case 5: changed.method = ["PUT", "PATCH", "POSTS", "DELETE"].randomElement(using: &generator) ?? ""
    default: changed.fields = try flip("signature", in: facts.fields, using: &generator)
    }
    return changed
  }

  private func flip(_ bytes: [UInt8], using generator: inout SeededGenerator, bits: Range<Int> = 0..<8) -> [UInt8] {
    var bytes = bytes
    bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1 << UInt8(Int.random(in: bits, using: &generator))
    return bytes
  }

  /// Names of hosts are the same in either case, so bit 5 of a letter changes nothing there.
  private func flip(
    _ name: String, in fields: HeaderFields, using generator: inout SeededGenerator, leavingCase: Bool = false
  ) throws -> HeaderFields {
    let value = try need(fields[name])
    // Of a cavage header only the signature itself is flipped: nothing signs the key's id, which a change turns into a
    // claim for another key, nor the algorithm's name.
    let last = name == "signature" ? value.ranges(of: "signature=\"").last : nil
    let start = last?.upperBound ?? value.startIndex
    // The label of a digest has no case either.
    let mark = name == "digest" ? value.firstIndex(of: "=") ?? start : start
    while true {
      let bytes = flip(Array(value[mark...].utf8), using: &generator, bits: leavingCase ? 0..<5 : 0..<8)
      let text = value[..<mark] + String(decoding: bytes, as: UTF8.self)
      // White space around parameters says nothing.
      if text.filter({ !$0.isWhitespace }) != value.filter({ !$0.isWhitespace }) {
        return fields.replacing(name, String(text))
      }
    }
  }

  @Test(arguments: seeds) func `another key never verifies`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let other = try PublicKey(pem: need(vectors("rfc9421")["keys"]?["test-key-rsa"]?["public"]?.string))
    for scheme in SignatureClaim.Scheme.allCases {
      let rsa = try Peer.rsaPeer().request(scheme)
      #expect(refusal(rsa, key: other) == .bad)
      let edwards = try Peer.ed25519Peer().request(scheme)
      for _ in 0..<20 {
        let key = try Ed25519PrivateKey(seed: generator.bytes(32))
        #expect(refusal(edwards, key: .ed25519(key.publicKey)) == .bad)
      }
    }
  }

  @Test(arguments: SignatureClaim.Scheme.allCases)
  func `the order and case of fields do not change a base`(scheme: SignatureClaim.Scheme) throws {
    let peer = try Peer.rsaPeer()
    let facts = try peer.request(scheme)
    var shuffled = facts
    shuffled.fields = HeaderFields(facts.fields.all.reversed().map { ($0.name.uppercased(), "  \($0.value)\t") })
    #expect(try SignatureClaim(of: shuffled, at: Peer.now).bases == SignatureClaim(of: facts, at: Peer.now).bases)
  }
}

/// Nothing from outside may trap: that would be a remote kill of the process.
@Suite struct FuzzTests {
  static let corpus = [
    #"keyId="https://peer.example/users/bob#main-key",algorithm="rsa-sha256",headers="(request-target) host date","#
      + #"created=1,expires=2,signature="AAAA""#,
    #"sig1=("@method" "@target-uri" "content-digest" "@query-param";name="x");created=1793728802;keyid="k""#,
    "sig1=:AAAA:", "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "a=1.5;b=?1, c=(a %\"x%c3%bc\" @12)",
    "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", "Tue, 03 Nov 2026 18:00:02 GMT", "here.example:443",
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n"
      + "-----END PUBLIC KEY-----\n",
    "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2", "$scrypt$ln=4,r=8,p=1$AAAAAAAAAAAAAAAA$AAAA",
  ]

  @Test(arguments: [UInt64](1...8)) func `mutated headers never trap`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let key = try Peer.ed25519.get().publicKey
    let host = try need(Host("here.example"))
    for _ in 0..<1_500 {
      let facts = RequestFacts(
        method: Bool.random(using: &generator) ? "POST" : "GET", target: text(&generator), authorities: [host],
        fields: HeaderFields([
          ("signature", text(&generator)), ("host", maybe("here.example", &generator)),
          ("date", maybe("Tue, 03 Nov 2026 18:00:02 GMT", &generator)), ("digest", text(&generator)),
          ("content-digest", text(&generator)),
        ]))
      #expect(refusal(facts, key: .ed25519(key)) != nil)
      var message = facts
      message.fields.append("signature-input", text(&generator))
      #expect(refusal(message, key: .ed25519(key)) != nil)
      readEverything(text(&generator))
    }
  }

  private func readEverything(_ text: String) {
    if let dictionary = StructuredFields.Dictionary(parsing: text) {
      #expect(StructuredFields.Dictionary(parsing: dictionary.text) == dictionary, "\(text)")
    }
    if let list = StructuredFields.InnerList(parsing: text) {
      #expect(StructuredFields.InnerList(parsing: list.text) == list)
    }
    if let item = StructuredFields.Item(parsing: text) {
      #expect(StructuredFields.Item(parsing: item.text) == item)
    }
    _ = try? PublicKey(pem: text)
    _ = try? PublicKey(multibase: text)
    _ = ContentDigest(multibase: text)
    _ = PasswordHash(text)
    _ = try? IntegrityProof(of: ["proof": ["proofValue": .string(text)]], at: Peer.now)
  }

  private func maybe(_ good: String, _ generator: inout SeededGenerator) -> String {
    Bool.random(using: &generator) ? good : text(&generator)
  }

  /// Random bytes, or one of the corpus with some bytes changed, doubled, dropped or exchanged for another's.
  private func text(_ generator: inout SeededGenerator) -> String {
    if Int.random(in: 0..<8, using: &generator) == 0 {
      return String(decoding: generator.bytes(Int.random(in: 0..<80, using: &generator)), as: UTF8.self)
    }
    var bytes = Array(Self.corpus[Int.random(in: 0..<Self.corpus.count, using: &generator)].utf8)
    for _ in 0..<Int.random(in: 0..<5, using: &generator) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: bytes[index] ^= 1 << UInt8(Int.random(in: 0..<8, using: &generator))
      case 1: bytes.remove(at: index)
      case 2: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
      case 3: bytes.removeSubrange(index...)
      default: bytes[index] = Array("\"\\;,=():?@%*-.0aZ \t\n\0".utf8)[Int.random(in: 0..<21, using: &generator)]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
