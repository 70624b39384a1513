import Primitives
import Signatures
import Testing

@Suite struct HeaderTests {
  @Test(arguments: [
    #"keyId="https://a.example/k",keyId="https://b.example/k",signature="AAAA""#,
    #"keyId="https://a.example/k",KEYID="https://b.example/k",signature="AAAA""#,
    #"keyId="https://a.example/k",signature="AAAA",signature="BBBB""#, #"keyId="https://a.example/k"#,
    #"keyId="https://a.example/k","#, #"keyId="a"b",signature="AAAA""#, #"keyId=\"a\",signature="AAAA""#,
    #"keyId="a\"b",signature="AAAA""#, "", ",", "=", #"="x""#, #"keyId=,signature="AAAA""#,
    #"keyId="https://a.example/k",signature="AAA""#, #"keyId="https://a.example/k",signature="AAAA" x"#,
    #"keyId="https://a.example/k",signature="AAAA",created=99999999999999999999"#,
    #"keyId="https://a.example/k",signature="AAAA",created=-1"#,
    #"keyId="https://a.example/k",signature="AAAA",headers="host host""#,
    #"keyId="https://a.example/k",signature="AAAA",headers="""#,
  ])
  func `a broken cavage header is malformed`(text: String) throws {
    let peer = try Peer.rsaPeer()
    var facts = try peer.request()
    facts.fields = facts.fields.replacing("signature", text)
    #expect(refusal(facts, key: peer.publicKey)?.code == "sig.malformed")
    #expect(refusal(facts, key: peer.publicKey)?.status == 400)
  }

  @Test func `bombs are malformed`() throws {
    let peer = try Peer.rsaPeer()
    let bombs = [
      String(repeating: "a", count: 1 << 20), #"keyId=""# + String(repeating: "\"", count: 1 << 20),
      (0..<10_000).map { "p\($0)=\"x\"" }.joined(separator: ","), String(repeating: "(", count: 1 << 20),
      (0..<100).map { "p\($0)=1" }.joined(separator: ","),
      "keyId=\"https://a.example/k\",signature=\"AAAA\",headers=\""
        + (0..<1_000).map { "h\($0)" }.joined(separator: " ") + "\"",
    ]
    for bomb in bombs {
      for scheme in SignatureClaim.Scheme.allCases {
        var facts = try peer.request(scheme)
        let name = scheme == .cavage ? "signature" : "signature-input"
        facts.fields = facts.fields.replacing(name, bomb)
        #expect(refusal(facts, key: peer.publicKey)?.code == "sig.malformed")
      }
    }
  }

  @Test func `both styles at once are ambiguous`() throws {
    let peer = try Peer.rsaPeer()
    let cavage = try peer.request(.cavage)
    let message = try peer.request(.messageSignature)
    var mixed = cavage
    mixed.fields = cavage.fields.with("signature-input", try need(message.fields["signature-input"]))
    #expect(refusal(mixed, key: peer.publicKey) == .ambiguous)
    #expect(refusal(mixed, key: peer.publicKey)?.status == 400)
    mixed.fields = mixed.fields.with("signature", try need(message.fields["signature"]))
    #expect(refusal(mixed, key: peer.publicKey) == .ambiguous)
    var twice = cavage
    twice.fields = cavage.fields.with("signature", try need(cavage.fields["signature"]))
    #expect(refusal(twice, key: peer.publicKey) == .ambiguous)
  }

  @Test func `labels that differ or are several are refused`() throws {
    let peer = try Peer.rsaPeer()
    let facts = try peer.request(.messageSignature)
    let input = try need(facts.fields["signature-input"])
    let signature = try need(facts.fields["signature"])
    for (name, value) in [
      ("signature", "sig2" + signature.dropFirst(4)), ("signature", signature + ", sig2=:AAAA:"),
      ("signature-input", input + ", sig2=()"), ("signature-input", "sig2" + input.dropFirst(4)),
    ] {
      var mixed = facts
      mixed.fields = facts.fields.replacing(name, value)
      #expect(refusal(mixed, key: peer.publicKey)?.code == "sig.label")
      #expect(refusal(mixed, key: peer.publicKey)?.status == 401)
    }
    var doubled = facts
    doubled.fields = facts.fields.replacing("signature", signature + ", " + signature)
    #expect(refusal(doubled, key: peer.publicKey)?.code == "sig.malformed")
    var repeated = facts
    repeated.fields = facts.fields.replacing("signature-input", input + ";keyid=\"https://evil.example/key\"")
    #expect(refusal(repeated, key: peer.publicKey)?.code == "sig.malformed")
  }

  @Test func `a line end in a covered value can not make a second line`() throws {
    let peer = try Peer.rsaPeer()
    var facts = try peer.request()
    facts.fields = facts.fields.replacing("digest", "\(facts.body.digestField),x=\nhost: other.example")
    #expect(refusal(facts, key: peer.publicKey)?.code == "sig.malformed")
  }
}

@Suite struct StructuredFieldsTests {
  @Test(arguments: [
    ("a=1, b=2;x=1;y=2, c=(a b c);q=9", "a=1, b=2;x=1;y=2, c=(a b c);q=9"), ("a", "a"), ("a;b, c=?0", "a;b, c=?0"),
    ("  a=1 ,\tb=2  ", "a=1, b=2"), ("a=-12.500", "a=-12.5"), ("a=1.0", "a=1.0"), ("a=:AQI=:", "a=:AQI=:"),
    (#"a="q\"uo\\te""#, #"a="q\"uo\\te""#), ("a=@1659578233", "a=@1659578233"), ("", ""), ("a=()", "a=()"),
    (#"a=%"f%c3%bc""#, #"a=%"f%c3%bc""#), ("a=(  1   2  )", "a=(1 2)"), ("*k=*t/o:k", "*k=*t/o:k"), ("a=?1", "a"),
    ("a=1, a=2", "a=2"), ("a=0.001", "a=0.001"), ("a=-0", "a=0"), ("a=999999999999999", "a=999999999999999"),
  ])
  func `a dictionary is read and written canonically`(text: String, canonical: String) throws {
    let read = try need(StructuredFields.Dictionary(parsing: text))
    #expect(read.text == canonical)
    #expect(StructuredFields.Dictionary(parsing: canonical) == read)
  }

  @Test(arguments: [
    "a=1,", "A=1", "a=", "a=1 b=2", "a=(1 2", "a=(1\t2)", "a=(1,2)", "a=1000000000000000", "a=1.", "a=1.2345",
    "a=1234567890123.1", "a=\"x", "a=\"\u{e9}\"", "a=\"\\x\"", "a=:AQI:", "a=:A", "a=?2", "a=@1.5", "a=%\"%C3\"",
    "a=%\"%c3\"", "a=%\"%c", "a=-", "a=--1", "a;=1", "a=1;", ",", "a=1,,b", "\u{0}", "a=1\u{0}",
  ])
  func `what the grammar does not allow is refused`(text: String) {
    #expect(StructuredFields.Dictionary(parsing: text) == nil)
  }

  @Test func `duplicates can be refused`() {
    #expect(StructuredFields.Dictionary(parsing: "a=1, a=2", duplicates: .refused) == nil)
    #expect(StructuredFields.Item(parsing: "1;a=1;a=2", duplicates: .refused) == nil)
    #expect(StructuredFields.Item(parsing: "1;a=1;a=2")?.parameters["a"] == .integer(2))
    #expect(StructuredFields.InnerList(parsing: "(1;a;a)", duplicates: .refused) == nil)
  }
}
