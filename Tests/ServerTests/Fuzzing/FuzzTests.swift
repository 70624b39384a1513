import ActivityStreams
import Foundation
import Primitives
import Signatures
import TestSupport
import Testing

@testable import Federation

/// Whatever the bytes, a parser answers: it reads them or says no. What it reads means the same when it is written and
/// read again, and to a second reader.
@Suite(.serialized) struct `Fuzzing` {
  private let now = Timestamp(secondsSince1970: 1_793_728_800)

  private static let cases: [[UInt8]] = {
    guard let folder = Bundle.module.resourceURL?.appendingPathComponent("Cases"),
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    else { return [] }
    return names.sorted().compactMap { name in
      FileManager.default.contents(atPath: folder.appendingPathComponent(name).path).map { Array($0.prefix(6_000)) }
    }
  }()

  private static let documents: [String] = [
    #"{"@context":["https://www.w3.org/ns/activitystreams",{"a":"b"}],"id":"https://a.test/1","type":"Create","actor":"#
      + #""https://a.test/u","to":["as:Public"],"object":{"id":"https://a.test/n","type":"Note","attributedTo":"#
      + #""https://a.test/u","content":"<p>x</p>","published":"2026-11-03T17:00:00Z","attachment":[{"type":"Image","#
      + #""url":"https://a.test/x.png","mediaType":"image/png","focalPoint":[0.5,-0.5],"width":3,"height":4}],"tag":"#
      + ##"[{"type":"Hashtag","name":"#x"},{"type":"Mention","href":"https://b.test/u"}],"sensitive":true}}"##,
    #"{"id":"https://a.test/u","type":"Person","preferredUsername":"u","inbox":"https://a.test/u/inbox","publicKey":"#
      + #"{"id":"https://a.test/u#k","owner":"https://a.test/u","publicKeyPem":"-----BEGIN PUBLIC KEY-----"},"#
      + #""endpoints":{"sharedInbox":"https://a.test/inbox"},"attachment":[{"type":"PropertyValue","name":"x"}]}"#,
    #"{"id":"https://a.test/q","type":"Question","attributedTo":"https://a.test/u","oneOf":[{"type":"Note","name":"a","#
      + #""replies":{"type":"Collection","totalItems":3}}],"endTime":"2026-11-05T17:00:00Z","votersCount":3}"#,
    #"{"id":"https://a.test/c","type":"OrderedCollection","totalItems":1,"first":{"type":"OrderedCollectionPage","#
      + #""orderedItems":["https://a.test/1",{"id":"https://a.test/2"}],"next":"https://a.test/c?p=2"}}"#,
    #"{"subject":"acct:u@a.test","links":[{"rel":"self","type":"application/activity+json","href":"https://a.test/u"}]}"#,
    #"{"n":[0,-0,1.5e300,12345678901234567890,"é\ud83c\udfa8\n",true,null,{}]}"#,
  ]

  @Test func `JSON is read as a second reader reads it, or not at all`() {
    let words = ["{", "}", "[", "]", ",", ":", "null", "true", "1e5", "\"\\u0000\"", "\"a\":", "\\ud83c"]
    Fuzzer(Self.documents.map { Array($0.utf8) } + Self.cases, words: words).run { bytes in
      guard let json = try? JSON(parsing: bytes, depth: 64) else { return }
      let written = json.bytes
      // Not the same value: JCS writes -0 as 0.
      #expect((try? JSON(parsing: written, depth: 64))?.bytes == written, Fuzzer.now)
      #expect((try? JSON(parsing: json.canonicalBytes, depth: 64)) != nil, Fuzzer.now)
      #expect(
        (try? JSONSerialization.jsonObject(with: Data(written), options: [.fragmentsAllowed])) != nil, Fuzzer.now)
    }
  }

  @Test func `activity documents are read or refused`() {
    let words = ["\"type\":\"Note\",", "\"id\":1,", "\"actor\":[],", "[[[[", "\"object\":null,", "\"@context\":{},"]
    Fuzzer(Self.documents.map { Array($0.utf8) } + Self.cases, words: words).run { bytes in
      guard let document = try? Document(parsing: bytes) else { return }
      Self.read(document)
    }
  }

  /// Every reading there is; a trap is the finding.
  private static func read(_ document: Document) {
    let node = document.node
    _ = try? Envelope(reading: document)
    _ = try? Activity(reading: node)
    _ = try? ActivityStreams.Actor(reading: node)
    _ = try? ObjectCollection(reading: node)
    _ = try? Tombstone(reading: node)
    _ = WebFinger(reading: document.json)
    _ = try? IntegrityProof(of: document.json, at: Timestamp(secondsSince1970: 1_793_728_800))
    guard let note = try? Note(reading: node) else { return }
    let read = ReadNote(note, json: document.json)
    _ = (read.hashtags, read.addressed, read.isVote, read.visibility(followers: nil))
  }

  @Test func `a node of another kind anywhere in a document is read or refused`() throws {
    let kinds: [JSON] = [nil, true, 0, -1, 1.5, "", "x", [], [[]], [:], ["a": nil], .integer(.max)]
    for text in Self.documents {
      let whole = try JSON(parsing: Array(text.utf8))
      for kind in kinds {
        for changed in Self.replaced(whole, by: kind) {
          guard let document = try? Document(parsing: changed.bytes) else { continue }
          Self.read(document)
        }
      }
    }
  }

  /// `json` with each of its nodes replaced, one at a time.
  private static func replaced(_ json: JSON, by other: JSON) -> [JSON] {
    var made: [JSON] = [other]
    if let array = json.array {
      for (index, part) in array.enumerated() {
        for changed in replaced(part, by: other) {
          var copy = array
          copy[index] = changed
          made.append(.array(copy))
        }
      }
    }
    for (key, part) in json.object == nil ? [] : json.pairs {
      for changed in replaced(part, by: other) {
        var copy = json
        copy[key] = changed
        made.append(copy)
      }
    }
    return made
  }

  @Test func `structured fields that are read are written as one text, which reads the same`() {
    let corpus = [
      #"sig1=("@method" "@target-uri" "content-digest");created=1793728802;keyid="https://a.test/k""#,
      #"a=1, b=?0;x, c=(1 2.5 tok "s" :AAAA:);q=1.0, d=@1659578233, e=%"f%c3%bc""#, "sha-256=:AAAA:, sha-512=:BBBB:",
    ]
    let words = ["(", ")", ";", "=", ":", "?1", ", ", "\"", "@method", "*", "-", ".", "%\"", "999999999999999.999"]
    Fuzzer(corpus, words: words).run(8_000) { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      for duplicates in [StructuredFields.Duplicates.lastWins, .refused] {
        guard let read = StructuredFields.Dictionary(parsing: text, duplicates: duplicates) else { continue }
        let again = StructuredFields.Dictionary(parsing: read.text, duplicates: duplicates)
        #expect(again == read && again?.text == read.text, Fuzzer.now)
      }
      _ = StructuredFields.Item(parsing: text)
      _ = StructuredFields.InnerList(parsing: text)
    }
  }

  private func signed(
    _ scheme: SignatureClaim.Scheme
  ) throws -> (facts: RequestFacts, key: RSAPrivateKey, base: String) {
    let url = try #require(IRI("https://our.example/users/mika/inbox?x=1"))
    let key = try RSAPrivateKey()
    let signer = SigningKey(id: try #require(IRI("https://a.test/u#k")), key: .rsa(key))
    var facts = RequestFacts(
      method: "POST", url: url, fields: [("content-type", "application/activity+json")],
      body: ContentDigest(of: Array("{}".utf8)))
    facts.fields = try signer.sign(facts, by: scheme, at: now)
    let claim = try SignatureClaim(of: facts, at: now)
    return (facts, key, try #require(claim.bases.first).text)
  }

  @Test(arguments: SignatureClaim.Scheme.allCases)
  func `a signature header in any state verifies for what was signed and for nothing else`(
    scheme: SignatureClaim.Scheme
  ) throws {
    let (facts, key, base) = try signed(scheme)
    let lines = facts.fields.all.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
    let words = ["keyId=\"", "headers=\"", "(request-target)", "(created)", "signature=\"", "sig2=", "\ndate: x"]
    var verified = 0
    Fuzzer([lines], words: words).run(6_000) { bytes in
      var mutated = facts
      mutated.fields = HeaderFields(
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
          guard let colon = line.firstIndex(of: ":") else { return nil }
          return (String(line[..<colon]), String(line[colon...].dropFirst()))
        })
      guard let claim = try? SignatureClaim(of: mutated, at: now) else { return }
      guard (try? claim.verify("", with: .rsa(key.publicKey))) != nil else { return }
      verified += 1
      #expect(claim.bases.contains { $0.text == base }, Fuzzer.now)
      #expect(mutated.fields["host"]?.lowercased() == "our.example", Fuzzer.now)
    }
    #expect(verified > 0)
  }

  @Test func `fields of synchronisation and challenge are read or not`() {
    let digest = String(repeating: "0f", count: 32)
    let corpus = [
      "collectionId=\"https://a.test/f\", url=\"https://a.test/s\", digest=\"\(digest)\"",
      #"sig1=("@method" "@authority");created;nonce="n";alg="ed25519";keyid="https://a.test/k", b=()"#,
    ]
    let keys = ["https://a.test/k"].compactMap { IRI($0) }
    Fuzzer(corpus, words: ["=\"", "\",", "digest=", "url=\"", ";", "(", ")"]).run { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      if let read = CollectionSynchronization(text) {
        #expect(CollectionSynchronization(read.text) == read, Fuzzer.now)
      }
      _ = SignatureRequest(acceptSignature: text, hasBody: true, keys: keys)
      _ = MediaType.isActivityPub(text)
    }
  }

  @Test func `encodings that are read are the one text of their bytes`() {
    let bytes = (0..<48).map { UInt8(($0 * 37) & 255) }
    let corpus = [
      Base58.encode(bytes), Base64.encode(bytes), Base64.encodeURL(bytes), Hex.encode(bytes),
      "zQmYwAPJzv5CZsnA625s3Xf2ne",
      "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    ]
    Fuzzer(corpus, words: ["z", "1", "=", "==", "0", "l", "+", "/", "-", "_"]).run(8_000) { input in
      let text = String(decoding: input, as: UTF8.self)
      if let read = Base58.decode(text) { #expect(Base58.encode(read) == text, Fuzzer.now) }
      if let read = Base64.decode(text) { #expect(Base64.encode(read) == text, Fuzzer.now) }
      if let read = Hex.decode(text) { #expect(Hex.encode(read) == text.lowercased(), Fuzzer.now) }
      if let read = ContentDigest(multibase: text) { #expect(read.multibase == text, Fuzzer.now) }
      if let read = try? Signatures.PublicKey(multibase: text) { _ = read }
    }
  }

  @Test func `dates that are read are the same when written`() {
    let corpus = [
      "2026-11-03T18:00:00Z", "2026-11-03T18:00:00.123Z", "2026-11-03T18:00:00+01:00", "1969-12-31T23:59:59Z",
      "Tue, 03 Nov 2026 18:00:02 GMT",
    ]
    let words = ["T", "Z", "-", ":", "+14:00", "24", "60", "99", "Feb", "GMT", ".", "29"]
    Fuzzer(corpus, words: words).run(8_000) { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      if let time = Timestamp(iso8601: text) {
        #expect(Timestamp(iso8601: time.iso8601) == time, Fuzzer.now)
      }
      if let time = Timestamp(httpDate: text) {
        #expect(Timestamp(httpDate: time.httpDate) == time, Fuzzer.now)
      }
    }
  }

  @Test func `addresses that are read are the same when written, and hide nobody`() {
    let corpus = [
      "https://a.test/users/mika?x=1#main-key", "https://xn--bcher-kva.example:8443/", "http://[2001:db8::1]:80/a%20b",
      "https://user:word@a.test/", "acct:mika@a.test", "@mika@a.test:8080",
    ]
    Fuzzer(corpus, words: ["@", ":", "//", "..", "%2f", "[", "]", "\\", "?", "#", "0x7f.1", "127.1", "\t"]).run(8_000) {
      bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      if let iri = IRI(text) {
        #expect(IRI(iri.text) == iri, Fuzzer.now)
        #expect(!iri.host.name.isEmpty && iri.text.utf8.count <= 2_048, Fuzzer.now)
        #expect(!iri.host.text.contains("@") && iri.host.name == iri.host.name.lowercased(), Fuzzer.now)
        #expect(iri.origin.hasPrefix(iri.scheme + "://"), Fuzzer.now)
        // A second reader must see the same host; it shows names of other scripts as people write them.
        if let other = URLComponents(string: iri.text)?.host, !other.contains(":"), !iri.host.name.contains("xn--") {
          #expect(other.lowercased() == iri.host.name, Fuzzer.now)
        }
      }
      if let host = Host(text) { #expect(Host(host.text) == host, Fuzzer.now) }
      if let handle = Handle(text) { #expect(Handle(handle.description) == handle, Fuzzer.now) }
    }
  }
}
