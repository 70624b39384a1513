import Primitives

/// Fields that name the maker, where the maker is a picture generator.
///
/// Only generators: painting and photo programs, some with generating tools inside, are no evidence of anything.
func namedGeneratorEvidence(_ traces: Traces) -> [Evidence] {
  let named = traces.makers.compactMap { field -> Evidence? in
    let text = field.text.trimmed.lowercased()
    // A credit may name the company a press photograph was taken for; a program field names the program.
    let isProgram = ["Software", "software", "CreatorTool", "generator"].contains(field.name)
    guard isProgram || ["Credit", "Source"].contains(field.name) else { return nil }
    let names = isProgram ? services + programs : services
    guard let name = names.first(where: { isNamed(text, $0.lowercased()) }) ?? (isProgram ? model(text) : nil) else {
      return nil
    }
    return Evidence(
      kind: "metadata.named_generator", strength: .strong, implies: .generated,
      text: "The \(field.place) field names \(name), a picture generator.", place: field.place)
  }
  return named + credits(traces) + openAI(traces) + [signature(traces)].compactMap { $0 }
}

/// Names that mean a generator wherever they stand.
private let services = [
  "Midjourney", "DALL-E", "DALL·E", "Adobe Firefly", "Adobe_Firefly", "Stable Diffusion", "Bing Image Creator",
  "Image Creator from Designer", "Image Creator from Microsoft Designer", "NovelAI Diffusion",
]

/// Names that mean one where a program is named.
private let programs = [
  "OpenAI", "ChatGPT", "InvokeAI", "ComfyUI", "stable-diffusion", "Stable Image", "Stability AI", "Stability.ai",
  "DreamStudio", "Fooocus", "Draw Things", "DiffusionBee", "Leonardo.Ai", "Leonardo AI", "Google Imagen",
  "Google Gemini", "NightCafe", "Playground AI", "Mochi Diffusion", "SwarmUI", "StableSwarmUI", "Easy Diffusion",
  "SD.Next", "Black Forest Labs", "Krea AI", "Tensor.Art", "SeaArt", "PixAI",
]

/// Names that other things bear too: the whole field, or the name and a version.
private let models = ["Gemini", "Imagen", "Grok", "Ideogram", "Seedream", "FLUX"]

private func model(_ text: String) -> String? {
  models.first { name in
    guard text.hasPrefix(name.lowercased()) else { return false }
    let rest = text.dropFirst(name.count).drop { $0 == " " || $0 == "-" || $0 == "." }
    return rest.isEmpty || rest.first.map { $0.isNumber } == true
  }
}

/// The whole field or its beginning, then no further letter.
private func isNamed(_ text: String, _ name: String) -> Bool {
  guard text.hasPrefix(name) else { return false }
  guard let next = text.unicodeScalars.dropFirst(name.unicodeScalars.count).first else { return true }
  return !next.properties.isAlphabetic
}

/// Google's credit line, which its documentation prescribes word for word.
private func credits(_ traces: Traces) -> [Evidence] {
  traces.makers.filter { $0.name == "Credit" }.compactMap { field in
    switch field.text.trimmed.lowercased() {
    case "made with google ai":
      Evidence(
        kind: "iptc.made_with_google_ai", strength: .conclusive, implies: .generated,
        text: "The \(field.place) field says 'Made with Google AI'.", place: field.place)
    case "edited with google ai":
      Evidence(
        kind: "iptc.edited_with_google_ai", strength: .strong, implies: .assisted,
        text: "The \(field.place) field says 'Edited with Google AI'.", place: field.place)
    default: nil
    }
  }
}

/// DALL·E 2 wrote a maker note of its own and a comment.
private func openAI(_ traces: Traces) -> [Evidence] {
  var found: [Evidence] = []
  let format = traces.metadata.format.name
  if let note = traces.metadata.exif?.makerNote, note.hasPrefix("OpenAI--ImageGeneration--") {
    found.append(
      Evidence(
        kind: "exif.openai", strength: .conclusive, implies: .generated,
        text: "The Exif maker note is \(note.quoted), as OpenAI's image generation writes it.",
        place: "\(format) Exif MakerNote"))
  }
  if let comment = traces.metadata.exif?.userComment, comment.hasPrefix("Made with OpenAI") {
    found.append(
      Evidence(
        kind: "exif.openai_comment", strength: .strong, implies: .generated,
        text: "The Exif user comment says \(comment.quoted).", place: "\(format) Exif UserComment"))
  }
  return found
}

/// Grok signs in the description and puts a random identifier where the artist's name goes.
private func signature(_ traces: Traces) -> Evidence? {
  guard let exif = traces.metadata.exif, let text = exif.imageDescription, text.hasPrefix("Signature: "),
    let artist = exif.artist, isUUID(Array(artist.utf8)[...])
  else { return nil }
  let body = text.utf8.dropFirst(11)
  guard body.count >= 40, body.allSatisfy({ (0x2B...0x7A).contains($0) }) else { return nil }
  return Evidence(
    kind: "exif.grok_signature", strength: .strong, implies: .generated,
    text: "The Exif description is a signature and the artist an identifier, as Grok writes them.",
    place: "\(traces.metadata.format.name) Exif ImageDescription")
}
