import Forensics
import Primitives
import Testing

struct EvidenceContainersTests {
  @Test(arguments: [
    ([0xFF, 0xD8, 0xFF, 0xE0], ImageFormat.jpeg), (ImageFormat.pngSignature, .png), (Array("GIF89a".utf8), .gif),
    (Array("RIFF....WEBP".utf8), .webp), (Array("<svg xmlns='x'>".utf8), .svg),
    (Array("<?xml version='1.0'?><!-- a --><svg>".utf8), .svg), (Array("%PDF-1.7".utf8), .pdf),
    ([0x49, 0x49, 0x2A, 0x00], .tiff), (Array("....ftypavif".utf8), .avif), (Array("....ftypheic".utf8), .heif),
  ])
  func `a format is known by its magic alone`(bytes: [UInt8], format: ImageFormat) {
    #expect(ImageFormat.sniff(bytes) == format)
  }

  @Test func `what is no image we open is refused by name`() {
    #expect(throws: ImageRefusal.unrecognized) { try ImageHeader(reading: []) }
    #expect(throws: ImageRefusal.unrecognized) { try ImageHeader(reading: Array("<html>".utf8)) }
    #expect(throws: ImageRefusal.unsupported(.svg)) { try ImageHeader(reading: Array("<svg>".utf8)) }
    #expect(throws: ImageRefusal.truncated) { try ImageHeader(reading: ImageFormat.pngSignature) }
    #expect(throws: ImageRefusal.malformed) { try ImageHeader(reading: Fixture.png(width: 0)) }
  }

  @Test func `sides, depth and colours come from the headers`() throws {
    for bytes in [Fixture.png(), Fixture.jpeg(), Fixture.webp([]), Fixture.gif()] {
      let header = try ImageHeader(reading: bytes)
      #expect(header.width == 8)
      #expect(header.height == 6)
      #expect(header.frames == 1)
      #expect(header.orientation == 1)
      #expect(header.isComplete)
      #expect(header.trailingBytes == 0)
      try header.requireDecodable()
    }
    #expect(try ImageHeader(reading: Fixture.jpeg(components: 4)).colourModel == .cmyk)
    #expect(try ImageHeader(reading: Fixture.png(depth: 16, kind: 6)).bitDepth == 16)
    #expect(try ImageHeader(reading: Fixture.png(kind: 6)).hasAlpha)
    #expect(try ImageHeader(reading: Fixture.webp([])).hasAlpha)
  }

  @Test func `a cut file is seen without decoding it`() throws {
    #expect(throws: ImageRefusal.truncated) { try ImageHeader(reading: Fixture.jpeg(end: false)).requireDecodable() }
    #expect(throws: ImageRefusal.truncated) { try ImageHeader(reading: Fixture.png(end: false)).requireDecodable() }
    #expect(throws: ImageRefusal.truncated) { try ImageHeader(reading: Fixture.gif(end: false)).requireDecodable() }
    #expect(throws: ImageRefusal.truncated) { try ImageHeader(reading: Fixture.webp([], lies: 9)).requireDecodable() }
    #expect(throws: ImageRefusal.truncated) {
      try ImageHeader(reading: Fixture.jpeg().dropLast(2) + [0xFF, 0x00]).requireDecodable()
    }
  }

  @Test func `bytes after the end are counted and harm nothing`() throws {
    for bytes in [Fixture.png(), Fixture.jpeg(), Fixture.gif(), Fixture.webp([])] {
      let header = try ImageHeader(reading: bytes + Array("PK\u{3}\u{4}zip".utf8))
      #expect(header.isComplete)
      #expect(header.trailingBytes == 7)
    }
  }

  @Test func `bombs and animations are refused from the header`() throws {
    #expect(throws: ImageRefusal.sideTooLong) {
      try ImageHeader(reading: Fixture.png(width: 30_000, height: 30_000)).requireDecodable()
    }
    #expect(throws: ImageRefusal.sideTooLong) {
      try ImageHeader(reading: Fixture.jpeg(width: 65_500, height: 1)).requireDecodable()
    }
    #expect(throws: ImageRefusal.tooManyPixels) {
      try ImageHeader(reading: Fixture.png(width: 16_384, height: 16_384)).requireDecodable()
    }
    // The two bounds are told apart at their edges: many pixels within short sides, one long side of few pixels.
    #expect(throws: ImageRefusal.tooManyPixels) {
      try ImageHeader(reading: Fixture.png(width: 8_000, height: 8_001)).requireDecodable()
    }
    #expect(throws: ImageRefusal.sideTooLong) {
      try ImageHeader(reading: Fixture.png(width: 16_385, height: 1)).requireDecodable()
    }
    for (width, height) in [(8_000, 8_000), (16_384, 3_906), (1, 16_384)] {
      try ImageHeader(reading: Fixture.png(width: width, height: height)).requireDecodable()
    }
    #expect(throws: ImageRefusal.tooCostly) { try ImageHeader(reading: Fixture.jpeg(scans: 1_000)).requireDecodable() }
    #expect(throws: ImageRefusal.animated) { try ImageHeader(reading: Fixture.gif(frames: 2)).requireDecodable() }
    let animated = Fixture.png([Fixture.chunk("acTL", Fixture.big32(3) + Fixture.big32(0))])
    #expect(throws: ImageRefusal.animated) { try ImageHeader(reading: animated).requireDecodable() }
    let moving = Fixture.webp([("ANIM", [0, 0, 0, 0, 0, 0]), ("ANMF", [1, 2]), ("ANMF", [1, 2])])
    #expect(try ImageHeader(reading: moving).frames == 2)
  }

  @Test(arguments: [(1, 1), (6, 6), (8, 8), (0, 1), (9, 1), (255, 1)])
  func `an orientation outside one to eight reads as one`(stored: Int, read: Int) throws {
    for big in [true, false] {
      let value = big ? Fixture.big16(stored) : Fixture.little16(stored)
      let exif = Fixture.exif([.init(tag: 0x0112, kind: 3, value: value)], big: big)
      #expect(try ImageHeader(reading: Fixture.jpeg(exif: exif)).orientation == read)
    }
  }

  @Test func `Exif fields are read in both orders, and a place only as present`() throws {
    for big in [true, false] {
      let exif = Fixture.exif(
        [.text(0x010F, "Maker"), .text(0x0131, "Program 1"), .text(0x013B, "Ana"), .text(0x8298, "© Ana")],
        inner: [.comment("Grüße", big: big), .text(0x9003, "2026:11:03 18:00:00")], big: big)
      let read = try #require(try EmbeddedMetadata(reading: Fixture.jpeg(exif: exif)).exif)
      #expect(read.make == "Maker")
      #expect(read.software == "Program 1")
      #expect(read.artist == "Ana")
      #expect(read.copyright == "© Ana")
      #expect(read.userComment == "Grüße")
      #expect(read.dateTimeOriginal == "2026:11:03 18:00:00")
      #expect(!read.hasLocation)
    }
  }

  @Test func `directories that point at one another end`() {
    let loop = Array("II".utf8) + [42, 0, 8, 0, 0, 0, 2, 0] + [0x69, 0x87, 4, 0, 1, 0, 0, 0, 8, 0, 0, 0]
    #expect(Exif(reading: (loop + loop)[...]) != nil)
    let huge = Array("II".utf8) + [42, 0, 8, 0, 0, 0, 1, 0] + [0x0E, 1, 2, 0, 255, 255, 255, 255, 8, 0, 0, 0]
    #expect(Exif(reading: huge[...])?.imageDescription == nil)
  }

  @Test func `comments, compressed text and hexadecimal profiles are found`() throws {
    #expect(try EmbeddedMetadata(reading: Fixture.gif(comment: "hello")).comments == ["hello"])
    #expect(try EmbeddedMetadata(reading: Fixture.jpeg([Fixture.segment(0xFE, Array("hi".utf8))])).comments == ["hi"])
    let body = Fixture.stored(Array("packed".utf8))
    let zipped = Fixture.png([Fixture.chunk("zTXt", Array("Title\0\0".utf8) + body)])
    #expect(try EmbeddedMetadata(reading: zipped).pngText.first?.text == "packed")
    let international = Fixture.png([Fixture.chunk("iTXt", Array("Title\0\u{1}\0de\0Titel\0".utf8) + body)])
    #expect(try EmbeddedMetadata(reading: international).pngText.first?.text == "packed")
    let hex = Fixture.exif([.text(0x0131, "Program 1")]).map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }
    let profile = Fixture.png(text: [("Raw profile type exif", "\nexif\n  99\n" + hex.joined())])
    #expect(try EmbeddedMetadata(reading: profile).exif?.software == "Program 1")
  }

  @Test func `extended XMP and split profiles are joined in their order`() throws {
    let guid = Array(String(repeating: "A", count: 32).utf8)
    let name = Array("http://ns.adobe.com/xmp/extension/\0".utf8)
    func piece(_ offset: Int, _ text: String) -> [UInt8] {
      Fixture.segment(0xE1, name + guid + Fixture.big32(6) + Fixture.big32(offset) + Array(text.utf8))
    }
    let bytes = Fixture.jpeg([
      piece(3, "def"), piece(0, "abc"), Fixture.segment(0xE2, Array("ICC_PROFILE\0".utf8) + [2, 2, 9]),
      Fixture.segment(0xE2, Array("ICC_PROFILE\0".utf8) + [1, 2, 8]),
    ])
    let metadata = try EmbeddedMetadata(reading: bytes)
    #expect(metadata.xmp == [Array("abcdef".utf8)])
    #expect(metadata.icc == [8, 9])
  }

  @Test func `IPTC records are read from Photoshop resources`() throws {
    func dataset(_ number: UInt8, _ text: String) -> [UInt8] {
      [0x1C, 2, number] + Fixture.big16(text.utf8.count) + Array(text.utf8)
    }
    let record = dataset(80, "Ana") + dataset(110, "Own work") + dataset(116, "© Ana")
    let resource = Array("8BIM".utf8) + Fixture.big16(0x0404) + [0, 0] + Fixture.big32(record.count) + record
    let bytes = Fixture.jpeg([Fixture.segment(0xED, Array("Photoshop 3.0\0".utf8) + resource)])
    let iptc = try #require(try EmbeddedMetadata(reading: bytes).iptc)
    #expect(iptc.byline == ["Ana"])
    #expect(iptc.credit == "Own work")
    #expect(iptc.copyright == "© Ana")
  }

  @Test func `XML entities are never expanded and a document type ends the reading`() {
    let bomb =
      #"<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:n="n"><n:a>&b;</n:a></x:xmpmeta>"#
    #expect(XMPPacket(reading: bomb.utf8).properties.isEmpty)
    let entities = #"<n:a xmlns:n="n">&b; &lt;&#x41;&#66;&amp;&#xD800;</n:a>"#
    #expect(XMPPacket(reading: entities.utf8).properties.first?.value == "&b; <AB&&#xD800;")
    let deep = String(repeating: "<n:a xmlns:n='n'>", count: 10_000)
    #expect(XMPPacket(reading: deep.utf8).properties.isEmpty)
  }

  // Made with zlib 1.2.13: a stored, a fixed and a dynamic block, and the gzip of the same words.
  private static let words = String(repeating: "harbour study, two states. ", count: 6)

  @Test func `inflating stops at the limit and at every defect`() {
    let text = Array("stored block".utf8)
    #expect(Inflate.zlib(Fixture.stored(text)[...], limit: 64) == text)
    #expect(Inflate.zlib(Fixture.stored(text)[...], limit: 11) == nil)
    var wrong = Fixture.stored(text)
    wrong[wrong.count - 1] ^= 1
    #expect(Inflate.zlib(wrong[...], limit: 64) == nil)
    // A distance beyond what was written, and an over-subscribed code.
    #expect(Inflate.raw([0x63, 0x00, 0x42, 0x00], limit: 64) == nil)
    #expect(Inflate.raw([0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], limit: 64) == nil)
    #expect(Inflate.raw([], limit: 64) == nil)
  }

  @Test func `fixed and dynamic blocks give what zlib put in`() {
    #expect(Inflate.zlib(Self.fixed[...], limit: 4_096) == Array(Self.words.utf8))
    #expect(Inflate.zlib(Self.dynamic[...], limit: 65_536) == Self.varied)
    #expect(Inflate.gzip(Self.gzipped[...], limit: 4_096) == Array(Self.words.utf8))
    #expect(Inflate.zlib(Self.dynamic[...], limit: Self.varied.count - 1) == nil)
  }

  /// Bytes with enough spread that a compressor writes a code of its own.
  static let varied: [UInt8] = {
    var state: UInt32 = 7
    return (0..<4_000).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      let high = UInt8(state >> 24)
      return high < 200 ? high % 16 : high
    }
  }()

  static let fixed =
    Base64.decode(
      """
      eAHLSCxKyi8tUiguKU2p1FEoKc8HMhNLUov1FDIGhxQAKjs7uQ==
      """) ?? []
  static let dynamic =
    Base64.decode(
      """
      eNoVl+dCKksQhHtiT+qe938jj9eMEUGPOSfEdFC45U9gl52ZrvqqVm7aQztsYmZfybXCXPOwVe47VWbd+yo9hPrguZCLPR2TWTShu6itCxkb\
      qpz25Lap/nlzpyG+cpA6sMGa4os/8uLIx5gt0yjWHpxu0VB7n9/YdLD+/cqnMpP7ndB7j9a6KDInMSmrNIPLVG5C5P3uomcV96dnl7KfLrPz\
      PV7LnflRfer2xflUVO97P/LeaQlm9NWrtc9h3dSUslyrHg3IpO2bP/mL/jU+xuoOqrPGxb2kueS1dupijanbYszuV0h13P7UEtfEFZZd8q7n\
      bBpdH5WuXQ+G7sN1xo9PrUmq1ryHGrPLS51ySPRYTYn7O97miaVexKVPbw2PxkX5bWwlcSM3r9k89NqkbCdsnag/6EGgbGPslkKZmmaapypG\
      WluNUVV7OhPrn4yxml/Uz9PZhtbSdhceD8n27qrWC8OSdePPy2QamKgk/at+QDYtQmNXfSjG4ZYSsmd7xdnWzZmuJ8JJ+WAvS439IFNs9vPe\
      PfY+Cs2LVY4Sm8eOh7Nuaq6XlPw5ZmIHdGzsjzxcx3hSbQtZ9jOHFkrdteazmlcXuQRLLcfPqncfUh3Zu2zMQPwSf0gM+GscTRkyxuBpKw6t\
      k4xHpurq6yKJQjVhbnpRX1dMoE8JpvSVkZb+7m2pmN+sB29T3DPZVKMxQUOBuK4+e4//EXvfTbLN+ftrrjvkKQXjvKlkt3LSs+DyUdkzXs5N\
      ovXC59PRw8Q5uTlrjylbv3KxGhuFIFR0PYbFtBvsvhPuX29YdQkl7PobaN/i+/aRTi1RO/Q5Z/XRRWW70NyMqXUl9BoStBknJ0xWsGHueU2G\
      tfSoPpNx0EsnEdOS8c1OtuCy8PnrpuyXI9HcXWiL/bs0pVmh0rbDcXKu5HhitW8Hz9MU4021bOP+vFTfnL0l+xfqr8anunK95bf6RumeiDYp\
      2bqoJsfgqEfI4oc44sBbeTRNi3d5u7ge8pfrMbW3/5zSu0Th7EhycCVd1SjJUalsqqiN9vghEV8WSQ8kP78jtJu+WxikufZpyTkuDtOFRum1\
      lPTcrQvC/jm2rndK+uVbzVqdyO1XeKLwexxxSKCI2zDm0B3FjKtpj/GXX6VKLE7zCNL0UVPcz5F95eqVoo3J2NjJKJ80nUX34NQvJerHqZeo\
      n2nqCdekbsLfjzTQsgXdYA+2a7s3/XCnpUuF9ZK0eAXNjT/t5Pr25rh+ueXdbWdkk96WvR7kWrF3OKt3J2e1F5dMvms6lAr1WQIWPiBxCNV6\
      GBAPoL5sfS3yt9sJsc+l93AEq9oUdgYz8Y5hOK+bwQszg4fBGHeWTCoy8iUk6eJwl+QLzrxq8krKJvRUfIiVXsSMqNWuuZa7FsLhiWFtJRlJ\
      AJpqY/bJR3zkvp5NYb90LPS6XwOmVOmgjC7AD38JAalZWFcGl832bHaC5Zc2MRu52QxQr8hzBG0NiZOWKySRDpEUyc+fwOBh2bQldrezLEGn\
      RLoIBb407sLqJYRT+BrZsJJL9Ju8EyoeDcky8euBa63ZuXaXQ+FiaTnesm/m91fDX0ayYUhm8RZdvj/vz0L2BQOvUw4Oi3J+PQ2cMZCzp5Kv\
      PagB7nkG0s5qa1Rv4dfVpQ8cmD66sofzhUYY2A3BxGBO3JbDcZrgaYXjkG0Ybne7B4QOAwKQc+yzWGSOdbzhKKdSNkDUcAb8m3RUwqGLpSER\
      HA8aa/LQF/1cxzA2oe6t+RMrAmGOfB87R3WfSplrZuMeNZRC2yz9BaHrrFY7tR2uCQ/N3k5gY7+0z//CBlJL0lVZf/dtQQoUprSH1IrwqY7k\
      12tyGcD7ZG87d3i1+RW4NY7LRA9867/A4iN6Xk/bbQIs4ONtcxKowYMSL6G2xgPrS4IAwRVAqhLfF+1AWHkodgvD8BxOQtcX5nl3ZG5Hnxvd\
      2FnqECa3BofHeiMNx+7cNOviNbrHWLJCd5T9nIY/5tK8tNsmX6ShnTFBvt9boVGkUC9PFNttrkYtVfcfg7NoAG9mjLN0oa62RCENOz22NPTI\
      2iwh2ZX8B/T1hR5Lijlk4zmnTAzeq/ey6W1wxg+iD6H0fZF3RlMIMbfwkte5AxPisfhcHt4cgpYqomfPYvO+pVQOK3IPeX7yqqgM4qKDJpfO\
      W9mBAGbap6kZ6QMo15i8rXRfWit0vomIDGPv2bA9iLuneYAnPu3w2YlseEGoqJ2kglsLekVDs9DIe5utH53+ozjhIXGLoH5vusSCbHt4iR3/\
      65J26DXleyAQrFHf66nr5R0BqKPl4g+LW9yl5ZJAcWfqU3YmOwBJkZir4TMFGQX/xI2vmt1wfea8HIWaOYaMpGqR3ecbQR02/tBBi/WZLibW\
      igs4opsi7Q+YHSSqbWAoqKI3Xv8MPEF+JRpXwpO2CkayoBfpfN/GpbGo5Ha9RGN8ySc+I3AknCE8pHb/hD5QSStBC+gafi3Kybr/sShdjEJA\
      KCHLU6yy5I5tF+I3id+KZtmP0jBs7SE9G5QbmWPTWxPRNeMK0tw1aAGK/g/1qURLSGGTOwXStpiGhOwSqRUs+Dy67HWP6frSuAzFyIGRb5Ot\
      HSEG0ddy7oMHq0F84644NsAsmaJwkI5rvnJhH8GWz7JHn6gzQPIXWFnH83iLowiX3Z4t3ObGkpyPP/5j4HYDEX77n9SwdvCDbD6PGaJiPg/l\
      lvvV3ndDCXLmC7J7Ovptvm09GJtb4g/Mrd+MjV9YQlrZL52hKvudaQ5m957Vl3IYnzX6GsmZcKmzfHRpzOvMIwcCWANkRJRAsrzb/HfND7A+\
      Ktq/4sFvahjTS+lcnw3nw5OH4A0ZCa5Wv4k2IzRSfwd3dQuDP0c+bhfBfEeDLr6CngImxcmpYX8MnuBhI/S3ttwnXM7h7oJZ9tNkMQemr0Xg\
      jdObVURB//ZuSo23D6oRY9ZFJOHac7yC2DiwS7VmX85DW1vjZ0aOoZHt4h3kZFl+gZbrzj4pDF61QaYHNj85rU/Sy72g1iiDJ4gqkKC0/mBz\
      P+43yGEw9u8/NOd3Wx9HpwGTMFjyg6wgDNpC6ibQVkNrj053WvcrpqOuspsVTXO4sO52Qr6XKaZZ7uGO2Mx7U0S9FsjKm91kdrN3VyiFrrK1\
      29RSQYeDESz8Y1uN8PdVHUsZtvt6THUbhRBuiP6En0OEd5zZaUuamuDy8IoKadbsl3eu/WbABZL3t7RwqzL/iu72YKdf7KZb3qMldduIPv5L\
      OSL2xKbtNIz0HyPQdmv8Gg3MP/4NfGLEK+UdmARZM1RubxcubYRoPuXfZY+0rW10ghyCfdDr3ec620G92yrFy1lR17VGr5FimqC00YFpC937\
      69PEh7RW3lcEaO+zQ2NXoTLnEsBRK2jH7TezWjVRLnfGWyeolsmrlN9ObH0/DcGeos01i1h0lO+1/bYgffSyUm3+tGOHl4ZCmxv28ZQdBZTm\
      3QS+5FcEDBLZ4h0Kb5Jy23NnSMkjy0Z1Qxn2xxtdO9onB1lUVLJ0wM9o6JsgN9+t6tbrNzodsMBN35P5U/xdHqfwd54ovTwhqFwB+XpAIz9C\
      WVNjq551pLmEji6LfrzMqB7J3fq4FMz022tC+6n5dZDr3Y+V7eXOPAnhMX1k97j10w9ReDf3O8LawGtD+q92SvcLUYjhfy7DUHc=
      """) ?? []
  static let gzipped =
    Base64.decode(
      """
      H4sIAAAAAAACA8tILErKLy1SKC4pTanUUSgpzwcyE0tSi/UUMgaHFACq0coQogAAAA==
      """) ?? []
  /// Three hundred thousand letters in three hundred bytes.
  static let bomb =
    Base64.decode(
      """
      eNrtwQENAAAAwqBs71/KHg4oAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD4MS1HnUg=
      """) ?? []
}
