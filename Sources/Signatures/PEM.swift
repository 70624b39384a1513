import Primitives

/// One block of RFC 7468, read strictly: text before or after it, headers inside it and a second block are refused.
struct PEM {
  let label: String
  let der: [UInt8]

  init(label: String, der: [UInt8]) {
    self.label = label
    self.der = der
  }

  init?(_ text: String) {
    guard text.utf8.count <= Limits.publicKeyTextBytes else { return nil }
    // Line ends of any system: keys come out of databases and JSON of all of them.
    let lines = text.split(whereSeparator: \.isNewline).map { trimmed($0) }.filter { !$0.isEmpty }
    guard lines.count >= 3, let first = lines.first, let last = lines.last, first.hasPrefix("-----BEGIN "),
      first.hasSuffix("-----"), first.utf8.count > 16
    else { return nil }
    label = String(first.dropFirst(11).dropLast(5))
    guard last == "-----END \(label)-----", let der = Base64.decode(lines.dropFirst().dropLast().joined()) else {
      return nil
    }
    self.der = der
  }

  /// With 64 characters a line and a line feed at the end.
  var text: String {
    var body = ""
    var rest = Substring(Base64.encode(der))
    while !rest.isEmpty {
      body += "\(rest.prefix(64))\n"
      rest = rest.dropFirst(64)
    }
    return "-----BEGIN \(label)-----\n\(body)-----END \(label)-----\n"
  }
}
