import Foundation
import Primitives
import Signatures
import Testing

/// A generator that gives the same numbers for the same seed: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
  }
}

/// Bytes that only look random, so that a test repeats.
let countingBytes = RandomBytes { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) } }

/// `#require` that may be nested.
func need<Value>(_ value: Value?, at location: SourceLocation = #_sourceLocation) throws -> Value {
  try #require(value, sourceLocation: location)
}

func vectors(_ name: String) throws -> JSON {
  let url = try need(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Vectors"))
  return try JSON(parsing: Array(Data(contentsOf: url)))
}

/// The message of a vector.
func facts(_ message: JSON) throws -> RequestFacts {
  let host = try need(Host(try need(message["host"]?.string)))
  let pairs = try need(message["fields"]?.array).map { pair in
    (try need(pair.array?.first?.string), try need(pair.array?.last?.string))
  }
  return RequestFacts(
    method: try need(message["method"]?.string), target: try need(message["target"]?.string),
    authorities: [host], fields: HeaderFields(pairs),
    body: ContentDigest(of: Array(try need(message["body"]?.string).utf8)),
    status: message["status"]?.integer.map(Int.init))
}

/// A peer that signs, and this server's view of what it sends.
struct Peer {
  static let now = Timestamp(secondsSince1970: 1_793_728_802)
  static let rsa = Result { try RSAPrivateKey(generatingBits: 2_048) }
  static let ed25519 = Result { try Ed25519PrivateKey(generatingWith: countingBytes) }
  static let body = Array(#"{"type":"Follow"}"#.utf8)

  let key: SigningKey

  init(_ key: PrivateKey, id: String = "https://peer.example/users/bob#main-key") throws {
    self.key = SigningKey(id: try need(IRI(id)), key: key)
  }

  static func rsaPeer() throws -> Peer { try Peer(.rsa(try rsa.get())) }
  static func ed25519Peer() throws -> Peer { try Peer(.ed25519(try ed25519.get())) }

  var publicKey: PublicKey { key.key.publicKey }

  /// What arrives here when this peer posts `body`, or gets when it is nil.
  func request(
    _ scheme: SignatureClaim.Scheme = .cavage, body: [UInt8]? = Peer.body,
    url: String = "https://here.example/users/mika/inbox?x=1", at time: Timestamp = Peer.now
  ) throws -> RequestFacts {
    let fields: HeaderFields = body == nil ? [] : [("Content-Type", "application/activity+json")]
    var facts = RequestFacts(
      method: body == nil ? "GET" : "POST", url: try need(IRI(url)), fields: fields,
      body: ContentDigest(of: body ?? []))
    facts.fields = try key.sign(facts, by: scheme, at: time)
    facts.authorities = [try need(Host("here.example")), try need(Host("www.here.example"))]
    return facts
  }

  /// A request whose base is `covered` of `fields`, for saying less or other than honest peers do.
  func cavage(
    _ facts: RequestFacts, covering covered: [String], created: Int64? = nil, expires: Int64? = nil,
    algorithm: String? = nil
  ) throws -> RequestFacts {
    var facts = facts
    let base = try SignatureBase.cavage(facts, covering: covered, created: created, expires: expires)
    var text = "keyId=\"\(key.id.text)\",headers=\"\(covered.joined(separator: " "))\""
    if let algorithm { text += ",algorithm=\"\(algorithm)\"" }
    if let created { text += ",created=\(created)" }
    if let expires { text += ",expires=\(expires)" }
    text += ",signature=\"\(Base64.encode(try sign(base)))\""
    facts.fields = facts.fields.without("signature").with("signature", text)
    return facts
  }

  func message(_ facts: RequestFacts, input text: String, label: String = "sig1") throws -> RequestFacts {
    var facts = facts
    let input = try need(StructuredFields.InnerList(parsing: text))
    let base = try SignatureBase.message(facts, input: input)
    facts.fields = facts.fields.without("signature").without("signature-input")
      .with("signature-input", "\(label)=\(text)")
      .with("signature", "\(label)=:\(Base64.encode(try sign(base))):")
    return facts
  }

  func sign(_ base: SignatureBase) throws -> [UInt8] {
    switch key.key {
    case .rsa(let key): try key.signature(for: Array(base.text.utf8))
    case .ed25519(let key): try key.signature(for: Array(base.text.utf8))
    }
  }
}

extension HeaderFields {
  func without(_ name: String) -> HeaderFields {
    HeaderFields(all.filter { $0.name != name }.map { ($0.name, $0.value) })
  }
  func with(_ name: String, _ value: String) -> HeaderFields {
    var copy = self
    copy.append(name, value)
    return copy
  }
  func replacing(_ name: String, _ value: String) -> HeaderFields { without(name).with(name, value) }
}

/// The reason the request is refused with; nil when it is accepted.
func refusal(_ facts: RequestFacts, key: PublicKey, at now: Timestamp = Peer.now) -> SignatureFailure? {
  do throws(SignatureFailure) {
    _ = try SignatureClaim(of: facts, at: now).verify("subject", with: key)
    return nil
  } catch { return error }
}
