import Forensics
import Primitives
import Testing

struct EvidenceFindersTests {
  static let settings =
    "a duck\nNegative prompt: fog\nSteps: 15, Sampler: UniPC, CFG scale: 5, Seed: 235284042, Size: 8x6"
  static let trained = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

  @Test func `a settings line in the field programs write is conclusive`() throws {
    let png = try Reading(Fixture.png(text: [("parameters", Self.settings)]))
    #expect(png.kinds == ["png.stable_diffusion_webui"])
    #expect(png.verdict == .generated)
    #expect(
      png.evidence.first?.text
        == "The PNG tEXt 'parameters' field holds a Stable Diffusion WebUI prompt with seed 235284042, 15 steps and sampler 'UniPC'."
    )
    for big in [true, false] {
      let jpeg = try Reading(
        Fixture.jpeg(exif: Fixture.exif([], inner: [.comment(Self.settings, big: true)], big: big)))
      #expect(jpeg.kinds == ["exif.stable_diffusion_webui"])
    }
    let webp = try Reading(Fixture.webp([("EXIF", Fixture.exif([], inner: [.comment(Self.settings, big: false)]))]))
    #expect(webp.verdict == .generated)
  }

  @Test(arguments: [
    "Steps: many, Sampler: my eye, Seed: the old oak",
    "Made with midjourney? No! Watercolour, 12 steps from my door. Seed: 42 sunflowers",
    "stable diffusion, comfyui, novelai: I hate them all", "#NoAI parameters prompt workflow",
    "Photographed in Dalle, Sweden, with a firefly",
    "Steps: 12 down to the garden, Seed: 42 sunflowers, Size: 8 feet",
  ])
  func `words about generators are not evidence`(text: String) throws {
    let keys = ["parameters", "Comment", "Description", "Title", "Author", "prompt", "workflow", "Dream"]
    #expect(try Reading(Fixture.png(text: keys.map { ($0, text) })).verdict == .none)
    let exif = Fixture.exif([.text(0x010E, text), .text(0x013B, text)], inner: [.comment(text, big: false)])
    #expect(try Reading(Fixture.jpeg(exif: exif)).evidence.isEmpty)
    let xmp = Fixture.xmp("<dc:description><rdf:Alt><rdf:li>\(text)</rdf:li></rdf:Alt></dc:description>")
    #expect(try Reading(Fixture.jpeg(xmp: xmp)).evidence.isEmpty)
  }

  @Test(arguments: [
    "Adobe Photoshop 26.0", "GIMP 2.10", "Procreate", "CLIP STUDIO PAINT", "Krita 5.2", "Canva", "Gemini PDA",
    "Grokster", "Lightroom", "Paint Tool -SAI-", "Openaimer", "Adobe Fireworks CS6",
  ])
  func `a painting program is never evidence`(name: String) throws {
    #expect(try Reading(Fixture.png(text: [("Software", name)])).evidence.isEmpty)
    #expect(try Reading(Fixture.jpeg(exif: Fixture.exif([.text(0x0131, name)]))).evidence.isEmpty)
    #expect(try Reading(Fixture.jpeg(xmp: Fixture.xmp("", attributes: "xmp:CreatorTool=\"\(name)\""))).evidence.isEmpty)
  }

  @Test(arguments: ["Midjourney", "Adobe Firefly 3", "ComfyUI", "Draw Things 1.2", "Gemini 2.5 Flash"])
  func `a program field that names a generator reads likely`(name: String) throws {
    #expect(try Reading(Fixture.png(text: [("Software", name)])).verdict == .likely)
    #expect(try Reading(Fixture.jpeg(exif: Fixture.exif([.text(0x0131, name)]))).verdict == .likely)
  }

  @Test func `a press credit to a company is not evidence, Google's own credit line is`() throws {
    func credited(_ credit: String) throws -> Reading {
      try Reading(Fixture.jpeg(xmp: Fixture.xmp("", attributes: "photoshop:Credit=\"\(credit)\"")))
    }
    #expect(try credited("OpenAI").evidence.isEmpty)
    #expect(try credited("Made with Google AI").verdict == .generated)
    #expect(try credited("Edited with Google AI").verdict == .assisted)
  }

  @Test func `a source type counts in attribute and element form, under any prefix`() throws {
    let attribute = Fixture.xmp("", attributes: "ext:DigitalSourceType=\"\(Self.trained)\"")
    let element = Fixture.xmp("<ext:DigitalSourceType>\(Self.trained)</ext:DigitalSourceType>")
    let resource = Fixture.xmp("<ext:DigitalSourceType rdf:resource=\"\(Self.trained)\"/>")
    let bag = Fixture.xmp(
      "<ext:DigitalSourceType><rdf:Bag><rdf:li>\(Self.trained)</rdf:li></rdf:Bag></ext:DigitalSourceType>")
    for packet in [attribute, element, resource, bag] {
      #expect(try Reading(Fixture.jpeg(xmp: packet)).verdict == .generated)
      #expect(
        try Reading(
          Fixture.png([Fixture.chunk("iTXt", Array("XML:com.adobe.xmp\0\0\0\0\0".utf8) + Array(packet.utf8))])
        ).verdict == .generated)
      #expect(try Reading(Fixture.webp([("XMP ", Array(packet.utf8))])).verdict == .generated)
    }
    let foreign = Fixture.xmp(
      "", attributes: "xmlns:own=\"https://example.org/\" own:DigitalSourceType=\"\(Self.trained)\"")
    #expect(try Reading(Fixture.jpeg(xmp: foreign)).evidence.isEmpty)
    let inner = Fixture.xmp(
      "<xmpMM:Ingredients><rdf:Bag><rdf:li ext:DigitalSourceType=\"\(Self.trained)\"/></rdf:Bag></xmpMM:Ingredients>")
    #expect(try Reading(Fixture.jpeg(xmp: inner)).evidence.isEmpty)
  }

  @Test(arguments: [
    ("compositeWithTrainedAlgorithmicMedia", AssessmentVerdict.assisted), ("algorithmicallyEnhanced", .none),
    ("digitalCreation", .none), ("digitalCapture", .none), ("algorithmicMedia", .none), ("nonsense", .none),
  ])
  func `each source type means what its definition says`(term: String, verdict: AssessmentVerdict) throws {
    let address = "https://cv.iptc.org/newscodes/digitalsourcetype/\(term)"
    #expect(
      try Reading(Fixture.jpeg(xmp: Fixture.xmp("", attributes: "ext:DigitalSourceType=\"\(address)\""))).verdict
        == verdict)
  }

  @Test func `a ComfyUI prompt with a sampler concludes, and scaling one's own work does not`() throws {
    let sampled = #"{"3":{"inputs":{"seed":5,"is_changed":[NaN]},"class_type":"KSampler"}}"#
    let scaled =
      #"{"1":{"inputs":{"image":"mine.png"},"class_type":"LoadImage"},"2":{"inputs":{},"class_type":"ImageUpscaleWithModel"}}"#
    let screen = #"{"last_node_id":1,"nodes":[{"type":"KSampler"}],"links":[]}"#
    #expect(try Reading(Fixture.png(text: [("prompt", sampled)])).verdict == .generated)
    #expect(try Reading(Fixture.png(text: [("workflow", screen)])).verdict == .likely)
    #expect(try Reading(Fixture.png(text: [("prompt", scaled)])).verdict == .assisted)
    let service = #"{"1":{"inputs":{"prompt":"an owl"},"class_type":"PartnerImageNode"}}"#
    #expect(try Reading(Fixture.png(text: [("prompt", service)])).verdict == .likely)
    let webp = Fixture.exif([.text(0x010F, "prompt:" + sampled)])
    #expect(try Reading(Fixture.webp([("EXIF", webp)])).verdict == .generated)
    #expect(try Reading(Fixture.png(text: [("prompt", #"{"class_type":"KSampler"}"#)])).evidence.isEmpty)
  }

  @Test(arguments: [
    ([("Software", "NovelAI"), ("Comment", #"{"steps":28,"sampler":"k_euler","seed":5,"uc":""}"#)], "png.novelai"),
    ([("Dream", "\"an owl\" -s 50 -S 2980747362 -W 512 -A k_lms")], "png.invokeai"),
    (
      [("sd-metadata", #"{"app_id":"invoke-ai/InvokeAI","image":{"seed":7,"steps":50,"sampler":"k_lms"}}"#)],
      "png.invokeai"
    ),
    ([("invokeai_metadata", #"{"positive_prompt":"x","seed":7,"steps":35,"scheduler":"euler"}"#)], "png.invokeai"),
    ([("parameters", #"{"prompt":"x","seed":"7","performance":"Speed","metadata_scheme":"fooocus"}"#)], "png.fooocus"),
    ([("parameters", #"{"sui_image_params":{"prompt":"x","seed":7,"steps":20}}"#)], "png.swarmui"),
    ([("prompt", "an owl"), ("seed", "7"), ("num_inference_steps", "25")], "png.separate_settings"),
    ([("Description", "an owl --ar 3:2 --v 6.1 Job ID: 0f3e5c0a-1b2c-4d3e-8f90-123456789abc")], "text.midjourney"),
    ([("AIGC", #"{"Label":"1","ContentProducer":"x"}"#)], "tc260.aigc_label"),
  ])
  func `the settings of each program are conclusive`(entries: [(String, String)], kind: String) throws {
    let reading = try Reading(Fixture.png(text: entries))
    #expect(reading.kinds.contains(kind))
    #expect(reading.verdict == .generated)
  }

  @Test func `DALL·E's maker note and Grok's signature are recognised`() throws {
    let note = Fixture.exif([.text(0x927C, "OpenAI--ImageGeneration--158311"), .text(0x9286, "Made with OpenAI Labs")])
    #expect(try Reading(Fixture.png([Fixture.chunk("eXIf", note)])).verdict == .generated)
    let signed = Fixture.exif([
      .text(0x010E, "Signature: " + String(repeating: "aB3+", count: 20)),
      .text(0x013B, "0f3e5c0a-1b2c-4d3e-8f90-123456789abc"),
    ])
    #expect(try Reading(Fixture.jpeg(exif: signed)).verdict == .likely)
    let human = Fixture.exif([.text(0x010E, "Signature: mine"), .text(0x013B, "Ana")])
    #expect(try Reading(Fixture.jpeg(exif: human)).evidence.isEmpty)
  }

  @Test func `evidence comes strongest first and each thing once`() throws {
    let reading = try Reading(
      Fixture.png(text: [
        ("Software", "NovelAI"), ("Source", "Stable Diffusion 1D44365E"), ("parameters", Self.settings),
        ("parameters", Self.settings),
      ]))
    #expect(reading.evidence.map(\.strength) == [.conclusive, .strong, .strong])
  }
}
