import Primitives
import Testing

@Suite struct `JSON as received` {
  @Test(arguments: [
    "{\"a\":1,\"a\":2}", "[1,]", "{\"a\":01}", "\"\\ud800\"", "\"\u{1}\"", "[1] x", "nul", "1e999", "", "\u{feff}[]",
    "{\"a\" 1}", "[", "\"", "{\"a\":", "-", "1.", "1e", "\"\\x\"", "\"\\u12\"",
  ])
  func `what two readers could read differently is refused`(text: String) {
    #expect(throws: JSONFailure.self) { try JSON(parsing: text) }
  }

  @Test func `nesting is bounded and never overflows the stack`() {
    let deep = String(repeating: "[", count: 500_000)
    #expect(throws: JSONFailure.depth) { try JSON(parsing: deep) }
    let allowed = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
    #expect(throws: Never.self) { try JSON(parsing: allowed) }
  }

  @Test func `order and text survive a round trip`() throws {
    let text = #"{"z":[1,-2.5,"a/b\n\u0001é😀",true,null],"a":{"b":{}}}"#
    #expect(try JSON(parsing: text).text == text)
  }

  @Test func `a text is written so that it reads back, wherever in it something is escaped`() throws {
    for byte in UInt8(0)..<0x80 {
      let odd = String(UnicodeScalar(byte))
      for text in [odd, odd + "a", "a" + odd, odd + odd, "é" + odd + "long enough to be no small string" + odd + "é"] {
        let written = JSON.string(text).bytes
        #expect(try JSON(parsing: written) == .string(text))
        #expect(written.allSatisfy { $0 >= 0x20 })
      }
    }
    #expect(JSON.string("a\"b\\c\n\u{1}").text == #""a\"b\\c\n\u0001""#)
  }

  /// RFC 8785 §3.2.3 and its appendix B.
  @Test func `canonical form follows RFC 8785`() throws {
    let input =
      #"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#
    let expected =
      #"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
    #expect(String(decoding: try JSON(parsing: input).canonicalBytes, as: UTF8.self) == expected)
    let keys = #"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#
    let order = try JSON(parsing: String(decoding: try JSON(parsing: keys).canonicalBytes, as: UTF8.self)).pairs.map(
      \.value)
    #expect(order == [2, 4, 6, 7, 1, 5, 3])
  }

  @Test(arguments: [
    (0.0, "0"), (-0.0, "0"), (Double.leastNonzeroMagnitude, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (9_007_199_254_740_992, "9007199254740992"), (1e21, "1e+21"), (9.999999999999997e22, "9.999999999999997e+22"),
    (1e-7, "1e-7"), (0.000001, "0.000001"), (333333333.3333332, "333333333.3333332"), (-71.184902, "-71.184902"),
    (295_147_905_179_352_825_856, "295147905179352830000"),
  ])
  func `numbers are written as ECMAScript writes them`(value: Double, text: String) {
    #expect(String(decoding: JSON.double(value).canonicalBytes, as: UTF8.self) == text)
  }

  @Test func `no bytes make the parser trap`() {
    var seed: UInt64 = 42
    func next() -> UInt64 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return seed >> 33
    }
    let alphabet = Array("{}[]\",:\\u0d8tfn-1e.\u{e9} ".utf8) + [0, 0xff, 0xc3, 0xed, 0xa0]
    for _ in 0..<20_000 {
      let bytes = (0..<Int(next() % 40)).map { _ in alphabet[Int(next()) % alphabet.count] }
      if let value = try? JSON(parsing: bytes) {
        #expect((try? JSON(parsing: value.bytes))?.bytes == value.bytes)
      }
    }
  }
}

@Suite struct `IRIs and hosts` {
  @Test(arguments: [
    "https://user@evil.example/", "ftp://a.example/", "https://", "https:///x", "https://a b.example/",
    "https://a.example\\@b/", "https://é.example/", "https://a..example/", "https://a.example:0/",
    "https://a.example:99999/", "https://-a.example/", "javascript:alert(1)", "https://a.example/\r\nX: y",
    "https://[::1", "https://a.example:/", "//a.example/x",
  ])
  func `anything a parser could read two ways is no IRI`(text: String) { #expect(IRI(text) == nil) }

  @Test func `an origin has one spelling`() throws {
    let written = try #require(IRI("HTTPS://A.Example:443/Path?q#f"))
    #expect(written.text == "https://a.example/Path?q#f")
    #expect(written.origin == "https://a.example")
    #expect(written.pathAndQuery == "/Path?q")
    #expect(written.path == "/Path")
    #expect(written.query == "q")
    #expect(written.fragment == "f")
    #expect(written.withoutFragment.text == "https://a.example/Path?q")
    #expect(IRI("https://a.example?x")?.pathAndQuery == "/?x")
    #expect(IRI("https://a.example")?.pathAndQuery == "/")
  }

  @Test func `handles read the ways people write them`() {
    for text in ["mika@Paper.test", "@mika@paper.test", "acct:mika@paper.test"] {
      #expect(Handle(text)?.description == "mika@paper.test")
    }
    for text in ["mika", "@mika", "mi ka@paper.test", "-m@paper.test", "a@b@c", "@@x"] { #expect(Handle(text) == nil) }
  }
}

@Suite struct `Time and identifiers` {
  @Test(arguments: [0, 951_782_400_000, 1_793_728_802_000, -1, 253_402_300_799_999, -62_167_219_200_000])
  func `texts of a time read back as the same time`(milliseconds: Int64) {
    let time = Timestamp(milliseconds: milliseconds)
    #expect(Timestamp(iso8601: time.iso8601) == time)
    #expect(Timestamp(httpDate: time.httpDate)?.secondsSince1970 == time.secondsSince1970)
  }

  @Test func `known times are written as the standards write them`() {
    let time = Timestamp(secondsSince1970: 1_793_728_802)
    #expect(time.httpDate == "Tue, 03 Nov 2026 18:00:02 GMT")
    #expect(time.iso8601 == "2026-11-03T18:00:02.000Z")
    #expect(Timestamp(iso8601: "2026-11-03T19:30:02.25+01:30")?.iso8601 == "2026-11-03T18:00:02.250Z")
  }

  @Test(arguments: [
    "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01", "x", "2026-01-01T00:00:0",
    "2026-01-01T00:00:00.Z",
  ])
  func `times that are not are refused`(text: String) { #expect(Timestamp(iso8601: text) == nil) }

  @Test func `arithmetic holds at the ends instead of trapping`() {
    #expect(Timestamp(milliseconds: .max).adding(.seconds(Int64.max)).milliseconds == .max)
    #expect(Timestamp(milliseconds: .min).adding(.seconds(Int64.min)).milliseconds == .min)
    #expect(Timestamp(secondsSince1970: .max).milliseconds == .max)
  }

  @Test func `ids of one frozen or backward millisecond strictly increase`() {
    let generator = SnowflakeGenerator(
      time: TimeSource { Timestamp(milliseconds: 1_000) }, random: RandomBytes { _ in [0xff, 0xff] })
    var last = Int64(0)
    for _ in 0..<100_000 {
      let id: ID<Int> = generator.next()
      #expect(id.rawValue > last)
      last = id.rawValue
    }
  }
}

@Suite struct `Encodings` {
  @Test func `published vectors hold`() {
    for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
      #expect(Base64.encode(text.utf8) == encoded)
      #expect(Base64.decode(encoded) == Array(text.utf8))
    }
    #expect(Base58.encode(Array("Hello World!".utf8)) == "2NEpo7TZRRrLZSi2U")
    #expect(Base58.decode("2NEpo7TZRRrLZSi2U") == Array("Hello World!".utf8))
    #expect(Base58.encode([0, 0, 0x28, 0x7f, 0xb4, 0xcd]) == "11233QC4")
  }

  @Test(arguments: ["Zg", "Zg=", "Zh==", "Z===", "Zm 9v", "Zm9v\n", "_-8="])
  func `base64 has one spelling`(text: String) { #expect(Base64.decode(text) == nil) }
}
