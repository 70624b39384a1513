import Primitives

/// Exactly the text that is signed.
package struct SignatureBase: Hashable, Sendable {
  package let text: String
  var bytes: [UInt8] { Array(text.utf8) }

  /// The signing string of draft-cavage-12 §2.3: a line for each name in `headers`, joined by line feeds.
  ///
  /// `withQuery: false` leaves the query out of `(request-target)`, as Mastodon did before 4.3.
  package static func cavage(
    _ message: RequestFacts, covering headers: [String], created: Int64? = nil, expires: Int64? = nil,
    withQuery: Bool = true
  ) throws(SignatureFailure) -> SignatureBase {
    var lines: [String] = []
    for name in headers {
      let value: String
      switch name {
      case "(request-target)":
        value = "\(asciiLowercased(message.method)) \(withQuery ? message.target : message.path)"
      case "(created)": value = String(try require(created, "(created) without created"))
      case "(expires)": value = String(try require(expires, "(expires) without expires"))
      default: value = try require(message.fields[name], "a covered field that is absent")
      }
      lines.append("\(name): \(try oneLine(value))")
    }
    return SignatureBase(text: lines.joined(separator: "\n"))
  }

  /// The signature base of RFC 9421 §2.5, `input` being covered components and parameters. It ends without a newline.
  package static func message(
    _ message: RequestFacts, input: StructuredFields.InnerList
  ) throws(SignatureFailure) -> SignatureBase {
    var lines: [String] = []
    for item in input.items {
      lines.append("\(item.text): \(try oneLine(try message.value(of: item)))")
    }
    lines.append("\"@signature-params\": \(input.text)")
    return SignatureBase(text: lines.joined(separator: "\n"))
  }

  /// A value with a line end in it could pose as a line of its own.
  private static func oneLine(_ value: String) throws(SignatureFailure) -> String {
    guard !value.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 0 }) else {
      throw .malformed("a line end in a covered value")
    }
    return value
  }
}

private func require<Value>(_ value: Value?, _ reason: String) throws(SignatureFailure) -> Value {
  guard let value else { throw .malformed(reason) }
  return value
}

extension RequestFacts {
  /// The value of one covered component, RFC 9421 §2.1 and §2.2. Of the component parameters only `name` of
  /// `@query-param` is known: no fediverse server sends `sf`, `key`, `bs`, `tr` or `req`.
  fileprivate func value(of component: StructuredFields.Item) throws(SignatureFailure) -> String {
    guard case .string(let name) = component.value else { throw .malformed("a component that is no string") }
    if name == "@query-param" { return try queryParameter(component.parameters) }
    guard component.parameters.all.isEmpty else { throw .malformed("a component parameter") }
    switch name {
    case "@method": return method
    case "@authority": return try addressed()
    case "@scheme": return asciiLowercased(scheme)
    case "@target-uri": return "\(asciiLowercased(scheme))://\(try addressed())\(target)"
    case "@request-target": return target
    case "@path": return path
    // RFC 9421 §2.2.7: an absent query is written as a lone question mark.
    case "@query": return query ?? "?"
    case "@status": return String(try require(status, "@status of a request"))
    default:
      guard !name.hasPrefix("@"), asciiLowercased(name) == name else { throw .malformed("an unknown component") }
      return try require(fields[name], "a covered field that is absent")
    }
  }

  private func addressed() throws(SignatureFailure) -> String {
    guard let authority else { throw .host }
    return authority.text
  }

  /// RFC 9421 §2.2.8: the value of the one query parameter of that name, decoded and encoded again.
  private func queryParameter(_ parameters: StructuredFields.Parameters) throws(SignatureFailure) -> String {
    guard parameters.all.count == 1, case .string(let wanted)? = parameters["name"] else {
      throw .malformed("@query-param without a name")
    }
    var found: [String] = []
    for pair in (query ?? "?").dropFirst().split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts.first, formEncoded(formDecoded(name)) == wanted else { continue }
      found.append(parts.count == 2 ? formEncoded(formDecoded(parts[1])) : "")
    }
    guard found.count == 1, let value = found.first else { throw .malformed("@query-param absent or twice") }
    return value
  }
}

/// application/x-www-form-urlencoded, to bytes.
private func formDecoded(_ text: Substring) -> [UInt8] {
  let bytes = Array(text.utf8)
  var out: [UInt8] = []
  var index = 0
  while index < bytes.count {
    if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
      let byte = Hex.decode(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self))
    {
      out += byte
      index += 3
    } else {
      out.append(bytes[index] == UInt8(ascii: "+") ? 32 : bytes[index])
      index += 1
    }
  }
  return out
}

/// Percent-encoded but for the bytes that the form encoding leaves alone; a space becomes `%20`.
private func formEncoded(_ bytes: [UInt8]) -> String {
  let plain = Array("*-._".utf8)
  return bytes.map { byte in
    isLetter(byte) || isDigit(byte) || plain.contains(byte)
      ? String(decoding: [byte], as: UTF8.self) : "%" + Hex.encode([byte]).uppercased()
  }
  .joined()
}
