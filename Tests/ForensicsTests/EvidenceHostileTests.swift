import Forensics
import Primitives
import Testing

/// Files damaged on purpose. A trap anywhere ends the test process, so that reaching the end is the assertion.
struct EvidenceHostileTests {
  private static let seeds: [[UInt8]] = {
    let settings = EvidenceFindersTests.settings
    let graph = #"{"3":{"inputs":{"seed":5,"x":[1,[2,"A\u00e9"]]},"class_type":"KSampler"}}"#
    let exif = Fixture.exif(
      [.text(0x0131, "Midjourney"), .text(0x010E, "a"), .init(tag: 0x0112, kind: 3, value: [6, 0])],
      inner: [.comment(settings, big: false), .text(0x927C, "OpenAI--ImageGeneration--1")])
    let packet = Fixture.xmp(
      "<dc:creator><rdf:Seq><rdf:li>&#65;</rdf:li></rdf:Seq></dc:creator>",
      attributes: "ext:DigitalSourceType=\"\(EvidenceFindersTests.trained)\"")
    let store = Fixture.c2pa([
      Fixture.manifest("urn:a", [Fixture.actions([("c2pa.created", "trainedAlgorithmicMedia")])]),
      Fixture.manifest(
        "urn:b",
        [
          Fixture.ingredient("parentOf", of: "urn:a"),
          Fixture.superbox("cbor", "c2pa.actions.v2", [Fixture.box("cbor", [0xBF, 0x61, 0x61, 0x82, 1, 0x20, 0xFF])]),
        ]),
    ])
    let xmpSegment = Fixture.segment(0xE1, Array("http://ns.adobe.com/xap/1.0/\0".utf8) + Array(packet.utf8))
    let exifSegment = Fixture.segment(0xE1, Array("Exif\0\0".utf8) + exif)
    let boxSegment = Fixture.segment(0xEB, Array("JP".utf8) + [0, 1] + Fixture.big32(1) + store)
    let resource =
      Array("8BIM".utf8) + Fixture.big16(0x0404) + [0, 0] + Fixture.big32(8)
      + [0x1C, 2, 80, 0, 3, 65, 110, 97]
    let photoshop = Fixture.segment(0xED, Array("Photoshop 3.0\0".utf8) + resource)
    return [
      Fixture.jpeg([xmpSegment, exifSegment, boxSegment, photoshop, Fixture.segment(0xFE, [65])]),
      Fixture.png([
        Fixture.chunk("tEXt", Array("parameters\0".utf8) + Array(settings.utf8)),
        Fixture.chunk("tEXt", Array("prompt\0".utf8) + Array(graph.utf8)), Fixture.chunk("eXIf", exif),
        Fixture.chunk("caBX", store),
        Fixture.chunk("zTXt", Array("Title\0\0".utf8) + EvidenceContainersTests.dynamic),
        Fixture.chunk("zTXt", Array("Author\0\0".utf8) + EvidenceContainersTests.fixed),
        Fixture.chunk("iTXt", Array("XML:com.adobe.xmp\0\0\0\0\0".utf8) + Array(packet.utf8)),
      ]),
      Fixture.webp([("EXIF", exif), ("XMP ", Array(packet.utf8)), ("C2PA", store), ("ANMF", [1])]),
      Fixture.gif(frames: 2, comment: settings),
    ]
  }()

  private func read(_ bytes: [UInt8]) -> Int {
    do {
      let container = try ImageContainer(reading: bytes)
      _ = EmbeddedRights(reading: container.metadata)
      return collectEvidence(metadata: container.metadata, header: container.header, pixels: nil).count
    } catch {
      return 0
    }
  }

  @Test func `the whole files say what they hold`() {
    #expect(Self.seeds.map(read).allSatisfy { $0 > 0 })
  }

  @Test func `a file cut anywhere is read to where it ends`() {
    for seed in Self.seeds {
      for length in stride(from: 0, to: seed.count, by: 7) { _ = read(Array(seed.prefix(length))) }
    }
  }

  @Test(arguments: 0..<4)
  func `damage of every kind is survived`(index: Int) {
    let seed = Self.seeds[index]
    var generator = SplitMix(seed: UInt64(index) + 1)
    let edges: [UInt8] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF, 0x22, 0x3C, 0x7B]
    for _ in 0..<3_000 {
      var bytes = seed
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        case 1: bytes[place] = edges.randomElement(using: &generator) ?? 0
        case 2:
          for step in 0..<4 where place + step < bytes.count { bytes[place + step] = 0xFF }
        case 3: bytes.removeSubrange(place..<min(place + 5, bytes.count))
        default:
          let from = Int.random(in: 0..<bytes.count, using: &generator)
          bytes.insert(contentsOf: bytes[from..<min(from + 40, bytes.count)], at: place)
        }
        if bytes.count < 16 { bytes = seed }
      }
      _ = read(bytes)
    }
  }

  @Test func `many small bombs share one budget`() throws {
    let bomb = EvidenceContainersTests.bomb
    let bytes = Fixture.png((0..<200).map { Fixture.chunk("zTXt", Array("T\($0)\0\0".utf8) + bomb) })
    let metadata = try EmbeddedMetadata(reading: bytes)
    let total = metadata.pngText.reduce(0) { $0 + $1.text.utf8.count }
    #expect(total > 0)
    #expect(total <= Limits.metadataText)
  }

  @Test func `nesting without end is refused and not followed`() {
    let nested = (0..<200).reduce([UInt8]()) { inner, _ in Fixture.superbox("c2pa", "c2pa", [inner]) }
    #expect(read(Fixture.png([Fixture.chunk("caBX", nested)])) == 0)
    let json = String(repeating: "{\"a\":", count: 50_000)
    #expect(read(Fixture.png(text: [("prompt", json), ("workflow", json), ("parameters", json)])) == 0)
    let markers = [UInt8](repeating: 0xFF, count: 200_000)
    #expect(read([0xFF, 0xD8] + markers) == 0)
    let repeated = String(repeating: "Steps: 1", count: 20_000)
    #expect(read(Fixture.png(text: [("parameters", repeated)])) == 0)
  }
}
