import Forensics
import Primitives
import Testing

struct EvidenceC2PATests {
  private static let generated = Fixture.manifest(
    "urn:a", generator: "Maker", [Fixture.actions([("c2pa.created", "trainedAlgorithmicMedia")])])

  private func verdict(_ manifests: [[UInt8]]) throws -> AssessmentVerdict {
    let store = Fixture.c2pa(manifests)
    let verdicts = try [
      Reading(Fixture.jpeg(jumbf: store)), Reading(Fixture.png([Fixture.chunk("caBX", store)])),
      Reading(Fixture.webp([("C2PA", store)])),
    ].map(\.verdict)
    #expect(Set(verdicts).count == 1)
    return try #require(verdicts.first)
  }

  @Test func `a created action by a trained algorithm is conclusive in every container`() throws {
    #expect(try verdict([Self.generated]) == .generated)
    let reading = try Reading(Fixture.jpeg(jumbf: Fixture.c2pa([Self.generated])))
    #expect(
      reading.evidence.first?.text
        == "The C2PA manifest claimed by 'Maker' declares that the picture was created by a trained algorithm.")
  }

  @Test func `a manifest that declares nothing of the kind accuses nobody`() throws {
    #expect(try verdict([Fixture.manifest("urn:b", [Fixture.actions([("c2pa.created", nil)])])]) == .none)
    #expect(try verdict([Fixture.manifest("urn:b", [Fixture.actions([("c2pa.created", "digitalCapture")])])]) == .none)
    #expect(try verdict([Fixture.manifest("urn:b", [])]) == .none)
  }

  @Test func `only the active manifest speaks for the whole`() throws {
    let human = Fixture.manifest("urn:b", [Fixture.actions([("c2pa.created", "digitalCreation")])])
    #expect(try verdict([Self.generated, human]) == .none)
    #expect(try verdict([human, Self.generated]) == .generated)
  }

  @Test func `a generated ingredient among others makes a composite`() throws {
    let collage = Fixture.manifest(
      "urn:b",
      [
        Fixture.actions([("c2pa.created", "digitalCreation"), ("c2pa.placed", nil)]),
        Fixture.ingredient("componentOf", of: "urn:a"),
      ])
    #expect(try verdict([Self.generated, collage]) == .assisted)
    let reference = Fixture.manifest(
      "urn:b",
      [Fixture.actions([("c2pa.created", "digitalCreation")]), Fixture.ingredient("inputTo", of: "urn:a")])
    #expect(try verdict([Self.generated, reference]) == .none)
  }

  @Test func `a generated picture that was only cropped or signed again stays generated`() throws {
    let cropped = Fixture.manifest(
      "urn:b",
      [
        Fixture.actions([("c2pa.opened", nil), ("c2pa.cropped", nil)]), Fixture.ingredient("parentOf", of: "urn:a"),
      ])
    #expect(try verdict([Self.generated, cropped]) == .generated)
    #expect(
      try verdict([Self.generated, Fixture.manifest("urn:b", [Fixture.ingredient("componentOf", of: "urn:a")])])
        == .generated)
    let painted = Fixture.manifest(
      "urn:b",
      [Fixture.actions([("c2pa.opened", nil), ("c2pa.drawing", nil)]), Fixture.ingredient("parentOf", of: "urn:a")])
    #expect(try verdict([Self.generated, painted]) == .assisted)
  }

  @Test func `generating into an opened picture is assistance`() throws {
    let filled = Fixture.manifest(
      "urn:b", [Fixture.actions([("c2pa.opened", nil), ("c2pa.edited", "trainedAlgorithmicMedia")])])
    #expect(try verdict([filled]) == .assisted)
    let declared = Fixture.manifest(
      "urn:b", [Fixture.actions([("c2pa.edited", "compositeWithTrainedAlgorithmicMedia")])])
    #expect(try verdict([declared]) == .assisted)
  }

  @Test func `manifests that are each other's ingredients end`() throws {
    let first = Fixture.manifest("urn:a", [Fixture.ingredient("parentOf", of: "urn:b")])
    let second = Fixture.manifest("urn:b", [Fixture.ingredient("parentOf", of: "urn:a")])
    #expect(try verdict([first, second]) == .none)
  }

  @Test func `CBOR is read in definite and indefinite form, and never past its end`() {
    let definite: [UInt8] = [0xA2, 0x61, 0x61, 0x01, 0x61, 0x62, 0x82, 0x20, 0xF5]
    #expect(DataTree(cbor: definite[...]) == .map(["a": .number("1"), "b": .array([.number("-1"), .bool(true)])]))
    let indefinite: [UInt8] = [0xBF, 0x61, 0x61, 0x7F, 0x61, 0x78, 0x61, 0x79, 0xFF, 0xFF]
    #expect(DataTree(cbor: indefinite[...]) == .map(["a": .text("xy")]))
    #expect(DataTree(cbor: [0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) == nil)
    #expect(DataTree(cbor: [0x5B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) == nil)
    #expect(DataTree(cbor: [UInt8](repeating: 0x81, count: 100_000)[...]) == nil)
    #expect(DataTree(json: [UInt8](repeating: 0x5B, count: 100_000)) == nil)
  }

  @Test func `rights come from XMP and manifest alike`() throws {
    let packet = Fixture.xmp(
      """
      <dc:creator><rdf:Seq><rdf:li>Ana &amp; Bo</rdf:li><rdf:li>Çem</rdf:li></rdf:Seq></dc:creator>
      <dc:rights><rdf:Alt><rdf:li xml:lang="de">Alle</rdf:li><rdf:li xml:lang="x-default">© Ana</rdf:li></rdf:Alt></dc:rights>
      <rights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">Ask first</rdf:li></rdf:Alt></rights:UsageTerms>
      <core:AltTextAccessibility><rdf:Alt><rdf:li xml:lang="x-default">A harbour</rdf:li></rdf:Alt></core:AltTextAccessibility>
      """,
      attributes: "plus:DataMining=\"http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED\" photoshop:DateCreated=\"2026\"")
    let store = Fixture.c2pa([
      Fixture.manifest(
        "urn:a",
        [Fixture.json("cawg.training-mining", #"{"entries":{"cawg.ai_generative_training":{"use":"notAllowed"}}}"#)])
    ])
    let xmpSegment = Fixture.segment(0xE1, Array("http://ns.adobe.com/xap/1.0/\0".utf8) + Array(packet.utf8))
    let boxSegment = Fixture.segment(0xEB, Array("JP".utf8) + [0, 1] + Fixture.big32(1) + store)
    let rights = EmbeddedRights(reading: try EmbeddedMetadata(reading: Fixture.jpeg([xmpSegment, boxSegment])))
    #expect(rights.creators == ["Ana & Bo", "Çem"])
    #expect(rights.copyright == "© Ana")
    #expect(rights.usageTerms == "Ask first")
    #expect(rights.altText == "A harbour")
    #expect(rights.dataMining == "DMI-PROHIBITED")
    #expect(rights.dateCreated == "2026")
    #expect(rights.trainingMining == ["cawg.ai_generative_training": "notAllowed"])
  }
}
