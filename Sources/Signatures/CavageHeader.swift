import Primitives

/// The parameters of one `Signature` field of draft-cavage-http-signatures-12, as written; nothing is judged here.
struct CavageHeader: Hashable, Sendable {
  var keyID: String
  var algorithm: String?
  /// Lower-cased; nil when the parameter is absent.
  var headers: [String]?
  var signature: [UInt8]
  var created: Int64?
  var expires: Int64?

  init(parsing text: String) throws(SignatureFailure) {
    guard text.utf8.count <= Limits.signatureFieldBytes else { throw .malformed("Signature is too long") }
    let parameters = try CavageHeader.parameters(of: Array(text.utf8))
    guard let keyID = parameters["keyId"], !keyID.isEmpty else { throw .malformed("no keyId") }
    guard let text = parameters["signature"], let signature = Base64.decode(text), !signature.isEmpty else {
      throw .malformed("no signature in canonical base64")
    }
    self.keyID = keyID
    self.signature = signature
    algorithm = parameters["algorithm"].map(asciiLowercased)
    created = try CavageHeader.seconds(parameters["created"])
    expires = try CavageHeader.seconds(parameters["expires"])
    headers = try parameters["headers"].map { text throws(SignatureFailure) in try CavageHeader.covered(text) }
  }

  /// `name="value"` and `name=123`, separated by commas. Values have no escapes: no key id or base64 needs one, and a
  /// reader that honours them would see other values than one that does not.
  private static func parameters(of bytes: [UInt8]) throws(SignatureFailure) -> [String: String] {
    var found: [String: String] = [:]
    var names: Set<String> = []
    var rest = bytes[...]
    while true {
      rest = rest.drop { $0 == 32 || $0 == 9 }
      let name = String(decoding: rest.prefix(while: isTchar), as: UTF8.self)
      rest = rest.drop(while: isTchar)
      guard !name.isEmpty, rest.first == UInt8(ascii: "=") else { throw .malformed("a parameter without a name") }
      rest = rest.dropFirst()
      let value: String
      if rest.first == UInt8(ascii: "\"") {
        let inside = rest.dropFirst().prefix { $0 != UInt8(ascii: "\"") }
        guard inside.allSatisfy({ (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "\\") }) else {
          throw .malformed("a quoted value with an odd byte")
        }
        value = String(decoding: inside, as: UTF8.self)
        rest = rest.dropFirst(1 + inside.count)
        guard rest.first == UInt8(ascii: "\"") else { throw .malformed("an unterminated quote") }
        rest = rest.dropFirst()
      } else {
        value = String(decoding: rest.prefix(while: isDigit), as: UTF8.self)
        rest = rest.drop(while: isDigit)
        guard !value.isEmpty else { throw .malformed("a value that is neither quoted nor a number") }
      }
      // CVE class of Mastodon 4.3.18: of two keyIds one reader took the first and another the last.
      guard names.insert(asciiLowercased(name)).inserted else { throw .malformed("a parameter twice") }
      guard names.count <= Limits.signatureParameters else { throw .malformed("too many parameters") }
      found[name] = value
      rest = rest.drop { $0 == 32 || $0 == 9 }
      if rest.isEmpty { return found }
      guard rest.first == UInt8(ascii: ",") else { throw .malformed("no comma between parameters") }
      rest = rest.dropFirst()
    }
  }

  private static func seconds(_ text: String?) throws(SignatureFailure) -> Int64? {
    guard let text else { return nil }
    guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy(isDigit), let value = Int64(text) else {
      throw .malformed("a time that is no number of seconds")
    }
    return value
  }

  private static func covered(_ text: String) throws(SignatureFailure) -> [String] {
    let names = text.split(separator: " ", omittingEmptySubsequences: true).map { asciiLowercased(String($0)) }
    guard !names.isEmpty, names.count <= Limits.signatureCoveredComponents else { throw .malformed("headers") }
    guard Set(names).count == names.count else { throw .malformed("a covered header twice") }
    return names
  }
}
