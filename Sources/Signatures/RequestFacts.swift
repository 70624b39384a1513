import Primitives

/// Header fields in the order they came, found by name without regard to case.
package struct HeaderFields: Hashable, Sendable, ExpressibleByArrayLiteral {
  package struct Field: Hashable, Sendable {
    /// Lower-cased.
    package let name: String
    /// Without white space around it.
    package let value: String
  }

  package private(set) var all: [Field] = []

  package init() {}
  package init(_ pairs: some Sequence<(String, String)>) { for (name, value) in pairs { append(name, value) } }
  package init(arrayLiteral pairs: (String, String)...) { self.init(pairs) }

  package mutating func append(_ name: String, _ value: String) {
    all.append(Field(name: asciiLowercased(name), value: trimmed(value)))
  }

  /// The values of the lines called `name`, which is lower-cased.
  package func lines(_ name: String) -> [String] { all.lazy.filter { $0.name == name }.map(\.value) }

  /// The lines called `name` as one value, joined as RFC 9110 §5.3 says; nil when there is none.
  package subscript(name: String) -> String? {
    let lines = lines(name)
    return lines.isEmpty ? nil : lines.joined(separator: ", ")
  }
}

/// All of a message that a signature can speak for.
package struct RequestFacts: Hashable, Sendable {
  package var method: String
  /// Path and query as they stand in the request line: `/users/mika/inbox?x=1`.
  package var target: String
  /// The public scheme, `https` but for tests. Configured, since behind a proxy the connection does not know it.
  package var scheme: String
  /// The hosts the message may be addressed to. Verifying: the names this server is configured with, never what the
  /// request says of itself. Signing: the one host it goes to.
  package var authorities: [Host]
  package var fields: HeaderFields
  /// SHA-256 of the raw body, of no bytes when there is none.
  package var body: ContentDigest
  /// For responses, whose signature bases Appendix B of RFC 9421 has too.
  package var status: Int?

  package init(
    method: String, target: String, scheme: String = "https", authorities: [Host], fields: HeaderFields,
    body: ContentDigest = .empty, status: Int? = nil
  ) {
    self.method = method
    self.target = target
    self.scheme = scheme
    self.authorities = authorities
    self.fields = fields
    self.body = body
    self.status = status
  }

  /// The request that is about to be sent to `url`, with `host` as its first field.
  package init(method: String, url: IRI, fields: HeaderFields = [], body: ContentDigest = .empty) {
    var all = HeaderFields([("host", url.host.text)])
    for field in fields.all where field.name != "host" { all.append(field.name, field.value) }
    self.init(
      method: method, target: url.pathAndQuery, scheme: url.scheme, authorities: [url.host], fields: all, body: body)
  }

  /// The host the message is addressed to, without its scheme's own port; nil unless it is one of `authorities`.
  package var authority: Host? {
    let lines = fields.lines("host")
    guard lines.count == 1, let line = lines.first, let host = Host(line) else { return nil }
    return isAddressed(to: host) ? withoutDefaultPort(host) : nil
  }

  func isAddressed(to host: Host) -> Bool {
    let wanted = withoutDefaultPort(host)
    return authorities.contains { withoutDefaultPort($0) == wanted }
  }

  var path: String { String(target.prefix { $0 != "?" }) }

  /// From the question mark on; nil without one.
  var query: String? { target.firstIndex(of: "?").map { String(target[$0...]) } }

  private func withoutDefaultPort(_ host: Host) -> Host {
    let isDefault = (scheme == "https" && host.port == 443) || (scheme == "http" && host.port == 80)
    return isDefault ? Host(host.name) ?? host : host
  }
}

func asciiLowercased(_ text: String) -> String {
  guard text.utf8.contains(where: { (65...90).contains($0) }) else { return text }
  return String(decoding: text.utf8.map { (65...90).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
}

/// Without the spaces and tabs of RFC 9110's OWS around it.
func trimmed(_ text: some StringProtocol) -> String {
  let text = Substring(text)
  let bytes = text.utf8
  guard let first = bytes.firstIndex(where: { $0 != 32 && $0 != 9 }),
    let last = bytes.lastIndex(where: { $0 != 32 && $0 != 9 })
  else { return "" }
  return String(text[first...last])
}
