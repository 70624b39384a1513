import Primitives

/// Midjourney writes the prompt, its options and the job's number into the description.
func midjourneyEvidence(_ traces: Traces) -> [Evidence] {
  traces.descriptions.compactMap { field in
    let bytes = Array(field.text.utf8.prefix(Limits.metadataText))[...]
    guard let start = bytes.offset(of: "Job ID: ".utf8), isUUID(bytes.rest(from: start + 8).prefix(36)) else {
      return nil
    }
    let options = [" --v ", " --ar ", " --niji", " --stylize ", " --s ", " --chaos ", " --style ", " --q ", " --sref "]
    let option = options.first { bytes.offset(of: $0.utf8) != nil }
    return Evidence(
      kind: "text.midjourney", strength: option == nil ? .strong : .conclusive, implies: .generated,
      text: option.map {
        "The \(field.place) field holds a Midjourney prompt with its option '\($0.trimmed)' and its job number."
      } ?? "The \(field.place) field ends in a job number as Midjourney writes it.",
      place: field.place)
  }
}

/// Eight, four, four, four and twelve hexadecimal digits.
func isUUID(_ bytes: ArraySlice<UInt8>) -> Bool {
  let groups = bytes.split(separator: 0x2D, omittingEmptySubsequences: false)
  return groups.map(\.count) == [8, 4, 4, 4, 12]
    && groups.joined().allSatisfy { (0x30...0x39).contains($0) || (0x41...0x46).contains($0 & 0xDF) }
}
