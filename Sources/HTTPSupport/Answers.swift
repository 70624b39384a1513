import HTTPTypes
import Hummingbird
import NIOCore
import Policy
import Primitives

extension Response {
  package static func json(
    _ json: JSON, status: HTTPResponse.Status = .ok, type: String = "application/json; charset=utf-8"
  ) -> Response {
    bytes(json.bytes, status: status, type: type)
  }

  package static func bytes(_ bytes: [UInt8], status: HTTPResponse.Status = .ok, type: String) -> Response {
    Response(
      status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  package static func text(
    _ text: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8"
  ) -> Response {
    bytes(Array(text.utf8), status: status, type: type)
  }

  /// After a form was posted: the browser gets the next page with GET. `path` is ours: a redirect never leaves here.
  package static func seeOther(_ path: String) -> Response {
    let isLocal = path.hasPrefix("/") && !path.hasPrefix("//") && !path.contains("\\") && !path.contains("\r")
    return Response(status: .seeOther, headers: [.location: isLocal ? path : "/"])
  }

  /// Says on this response how machines may use what it shows.
  package mutating func state(_ policy: UsagePolicy, tdmPolicy: IRI? = nil) {
    for header in policyHeaders(for: policy, tdmPolicyURL: tdmPolicy) {
      if let name = HTTPField.Name(header.name) { headers[name] = header.value }
    }
  }
}

/// `Link` for keyset pages. `rel="next"` comes first: toot reads nothing else.
package func linkHeader(_ base: IRI, query: [(String, String)], next: String?, previous: String?) -> String? {
  func link(_ name: String, _ value: String, _ rel: String) -> String {
    let items = query.filter { !["max_id", "min_id", "since_id"].contains($0.0) } + [(name, value)]
    let text = items.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }.joined(separator: "&")
    return "<\(base.text)?\(text)>; rel=\"\(rel)\""
  }
  let links = [next.map { link("max_id", $0, "next") }, previous.map { link("min_id", $0, "prev") }].compactMap { $0 }
  return links.isEmpty ? nil : links.joined(separator: ", ")
}

/// RFC 3986 unreserved bytes stay, everything else is escaped.
package func percentEncoded(_ text: String) -> String {
  var out = ""
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      out.unicodeScalars.append(Unicode.Scalar(byte))
    default: out += "%" + Hex.encode([byte]).uppercased()
    }
  }
  return out
}

/// Nil when an escape is broken or the bytes are not UTF-8. `+` is a space only in forms and queries.
package func percentDecoded(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
  var out: [UInt8] = []
  var iterator = text.utf8.makeIterator()
  while let byte = iterator.next() {
    if byte == UInt8(ascii: "%") {
      guard let high = iterator.next(), let low = iterator.next(),
        let value = Hex.decode(String(decoding: [high, low], as: UTF8.self))?.first
      else { return nil }
      out.append(value)
    } else {
      out.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
    }
  }
  return String(validating: out, as: UTF8.self)
}
