import Primitives

/// One field of a message head.
package struct HeaderField: Hashable, Sendable {
  package let name: String
  package let value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// RFC 9110 §5.5: a line break in a value would start a field, or a request, of the peer's choosing.
  var isSendable: Bool {
    !name.isEmpty && name.utf8.allSatisfy(HeaderField.isTokenByte)
      && value.utf8.allSatisfy { $0 == 9 || (32...126).contains($0) }
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}

package enum RequestMethod: String, Hashable, Sendable {
  case get = "GET"
  case post = "POST"
}

/// What is about to be sent to one host: what a signature has to cover.
package struct OutgoingTarget: Sendable {
  package let method: RequestMethod
  package let url: IRI
  package let body: [UInt8]
}

/// A request, before it is known which hosts it will visit.
package struct OutgoingRequest: Sendable {
  package var url: IRI
  /// Fields that go to every host on the way. Credentials belong into `prepare`.
  package var headers: [HeaderField]
  package var body: [UInt8]
  /// Bytes of the answer's body, after which the connection is closed.
  package var maximumResponse: Int
  /// For the whole exchange with its redirects; the client's own deadline when nil or longer.
  package var deadline: Duration?
  /// Makes the fields that depend on the target, such as a signature. Called again for every redirect, so that
  /// nothing signed for one host reaches another.
  package var prepare: @Sendable (OutgoingTarget) async throws -> [HeaderField]

  package init(
    url: IRI, headers: [HeaderField] = [], body: [UInt8] = [], maximumResponse: Int = Limits.fetchedDocument,
    deadline: Duration? = nil,
    prepare: @escaping @Sendable (OutgoingTarget) async throws -> [HeaderField] = { _ in [] }
  ) {
    self.url = url
    self.headers = headers
    self.body = body
    self.maximumResponse = maximumResponse
    self.deadline = deadline
    self.prepare = prepare
  }
}

/// An answer, whatever its status.
package struct IncomingResponse: Sendable {
  package let status: Int
  package let headers: [HeaderField]
  package let body: [UInt8]
  /// Where it came from: the address of the last redirect.
  package let url: IRI
  package let redirects: Int

  package init(status: Int, headers: [HeaderField], body: [UInt8], url: IRI, redirects: Int) {
    self.status = status
    self.headers = headers
    self.body = body
    self.url = url
    self.redirects = redirects
  }

  package var isSuccess: Bool { (200...299).contains(status) }

  /// The first value of a field, by case-insensitive name.
  package func header(_ name: String) -> String? { values(of: name).first }

  package func values(of name: String) -> [String] {
    let name = name.lowercased()
    return headers.filter { $0.name.lowercased() == name }.map(\.value)
  }

  /// Where a redirect leads, resolved against `url`; nil when there is not exactly one usable Location.
  var location: IRI? {
    let values = values(of: "location")
    guard values.count == 1, let value = values.first, !value.isEmpty, value.utf8.count <= Limits.iriBytes else {
      return nil
    }
    if value.contains("://"), let iri = IRI(value) { return iri.withoutFragment }
    if value.hasPrefix("//") { return IRI("\(url.scheme):\(value)")?.withoutFragment }
    let base =
      value.hasPrefix("/") ? "" : String(url.path.prefix(through: url.path.lastIndex(of: "/") ?? url.path.startIndex))
    // A scheme other than http and https, which the IRI refused above.
    guard value.hasPrefix("/") || !value.prefix(while: { $0 != "/" && $0 != "?" }).contains(":") else { return nil }
    let query = value.hasPrefix("?") ? url.path + value : base + value
    return IRI(url.origin + IncomingResponse.withoutDots(query))?.withoutFragment
  }

  /// RFC 3986 §5.2.4 on the path of `target`.
  private static func withoutDots(_ target: String) -> String {
    let path = target.prefix { $0 != "?" && $0 != "#" }
    var kept: [Substring] = []
    let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      if segment == ".." || segment == "." {
        if segment == "..", !kept.isEmpty { kept.removeLast() }
        if isLast { kept.append("") }
      } else {
        kept.append(segment)
      }
    }
    return "/" + kept.joined(separator: "/") + target.dropFirst(path.count)
  }
}

/// What left this machine, for tests and metrics.
package enum Egress: Hashable, Sendable {
  case lookup(name: String)
  /// A request handed to a connection to the vetted address, kept open or new.
  case request(host: String, Endpoint)
  /// A connection was opened.
  case connection(host: String, Endpoint)
}
