/// An absolute http or https IRI, kept as written but for its scheme and host, which are lower-cased.
///
/// Not a URL: never resolved or fetched here. Compared byte for byte, since peers compare ids so. Refused are
/// user information (`https://victim@evil/`), control characters, spaces, backslashes and non-ASCII bytes: one
/// strict parser closes the request injection of CVE-2023-42450.
package struct IRI: Hashable, Sendable, LosslessStringConvertible {
  package let text: String
  package let scheme: String
  package let host: Host
  private let afterHost: String

  package init?(_ text: String) {
    guard text.utf8.count <= Limits.iriBytes else { return nil }
    let bytes = Array(text.utf8)
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) else { return nil }
    guard let separator = IRI.schemeEnd(bytes) else { return nil }
    let scheme = String(decoding: bytes[..<separator].map(asciiLowercased), as: UTF8.self)
    let authorityStart = separator + 3
    let rest = bytes[authorityStart...]
    let authorityEnd = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
    let authority = bytes[authorityStart..<(authorityEnd ?? bytes.count)]
    guard !authority.contains(UInt8(ascii: "@")),
      var host = Host(String(decoding: authority, as: UTF8.self))
    else { return nil }
    // The default port is no part of an origin: https://a.example:443 and https://a.example are one.
    if host.port == (scheme == "https" ? 443 : 80), let bare = Host(host.name) { host = bare }
    self.scheme = scheme
    self.host = host
    afterHost = String(decoding: bytes[(authorityEnd ?? bytes.count)...], as: UTF8.self)
    self.text = "\(scheme)://\(host.text)\(afterHost)"
  }

  private static let schemes = ["https://", "http://"].map { Array($0.utf8) }

  private static func schemeEnd(_ bytes: [UInt8]) -> Int? {
    for prefix in schemes where bytes.count > prefix.count {
      if zip(bytes, prefix).allSatisfy({ asciiLowercased($0) == $1 }) { return prefix.count - 3 }
    }
    return nil
  }

  package var description: String { text }

  /// Scheme, host and port, as `https://host[:port]`.
  package var origin: String { "\(scheme)://\(host.text)" }

  /// The request target: path and query without the fragment, `/` when empty.
  package var pathAndQuery: String {
    let target = afterHost.prefix { $0 != "#" }
    if target.isEmpty { return "/" }
    return target.hasPrefix("?") ? "/\(target)" : String(target)
  }

  package var path: String { String(pathAndQuery.prefix { $0 != "?" }) }

  package var query: String? {
    let target = pathAndQuery
    guard let mark = target.firstIndex(of: "?") else { return nil }
    return String(target[target.index(after: mark)...])
  }

  package var fragment: String? {
    guard let hash = afterHost.firstIndex(of: "#") else { return nil }
    return String(afterHost[afterHost.index(after: hash)...])
  }

  package var withoutFragment: IRI {
    guard let hash = text.firstIndex(of: "#"), let iri = IRI(String(text[..<hash])) else { return self }
    return iri
  }

  package func hasSameOrigin(as other: IRI) -> Bool { scheme == other.scheme && host == other.host }

  /// This IRI with `suffix` written after it; nil when the result is not an IRI.
  package func appending(_ suffix: String) -> IRI? { IRI(text + suffix) }
}

extension IRI: Comparable {
  package static func < (left: IRI, right: IRI) -> Bool { left.text < right.text }
  package static func == (left: IRI, right: IRI) -> Bool { left.text == right.text }
  package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension IRI: Codable {
  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let iri = IRI(text) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not an IRI"))
    }
    self = iri
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
