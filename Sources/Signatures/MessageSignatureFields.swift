import Primitives

/// The one signature of a message with `Signature-Input` and `Signature` of RFC 9421.
struct MessageSignatureFields: Hashable, Sendable {
  var label: String
  /// The covered components with the signature parameters: the value of `@signature-params`.
  var input: StructuredFields.InnerList
  var signature: [UInt8]

  init(input inputLines: [String], signature signatureLines: [String]) throws(SignatureFailure) {
    // A cavage signature beside `Signature-Input` speaks for another key to a reader that knows only cavage.
    guard !signatureLines.contains(where: MessageSignatureFields.isCavage) else { throw .ambiguous }
    guard let inputs = MessageSignatureFields.dictionary(inputLines) else { throw .malformed("Signature-Input") }
    guard let signatures = MessageSignatureFields.dictionary(signatureLines) else { throw .malformed("Signature") }
    guard inputs.members.count == 1, signatures.members.count == 1, let one = inputs.members.first,
      let other = signatures.members.first, one.key == other.key
    else { throw .label }
    guard case .innerList(let list) = one.value else { throw .malformed("Signature-Input is no inner list") }
    guard case .item(let item) = other.value, case .bytes(let bytes) = item.value, !bytes.isEmpty else {
      throw .malformed("Signature is no byte sequence")
    }
    guard list.items.count <= Limits.signatureCoveredComponents else { throw .malformed("too many components") }
    guard Set(list.items).count == list.items.count else { throw .malformed("a component twice") }
    label = one.key
    input = list
    signature = bytes
  }

  private static func dictionary(_ lines: [String]) -> StructuredFields.Dictionary? {
    guard lines.reduce(0, { $0 + $1.utf8.count + 2 }) <= Limits.signatureFieldBytes + 2 else { return nil }
    return StructuredFields.Dictionary(parsing: lines.joined(separator: ", "), duplicates: .refused)
  }

  /// Whether a `Signature` line is in the older style, however broken. `keyId=` can begin no member of a dictionary of
  /// byte sequences, as keys of structured fields have no upper case.
  private static func isCavage(_ line: String) -> Bool {
    guard line.utf8.count <= Limits.signatureFieldBytes else { return false }
    return line.contains("keyId=") || line.contains("headers=\"")
  }
}
