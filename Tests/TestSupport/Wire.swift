import Primitives

/// A request as a peer got it, cut out of the bytes on the wire.
package struct WireRequest: Sendable {
  package let method: String
  package let target: String
  /// Names lower-cased; of repeated fields the last.
  package let headers: [String: String]
  package let body: [UInt8]

  package var host: String { headers["host"] ?? "" }
  package var url: String { "https://\(host)\(target)" }
  package var json: JSON? { try? JSON(parsing: body, depth: 64) }
}

/// What a peer does with a request.
package enum WireReply: Sendable {
  /// Exactly these bytes; then the connection closes or waits for another request.
  case bytes([UInt8], close: Bool)
  /// These bytes, then one more byte every few milliseconds for ever.
  case drip([UInt8])
  /// These bytes, then as much as the peer takes, for ever.
  case flood([UInt8])
  case nothing
  case hangUp

  package static func answer(
    _ status: Int = 200, type: String? = nil, headers: [(String, String)] = [], _ body: [UInt8] = [],
    close: Bool = false
  ) -> WireReply {
    var head = "HTTP/1.1 \(status) Answer\r\nContent-Length: \(body.count)\r\n"
    if let type { head += "Content-Type: \(type)\r\n" }
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    return .bytes(Array((head + "\r\n").utf8) + body, close: close)
  }

  package static func document(_ json: JSON, type: String = "application/activity+json") -> WireReply {
    answer(type: type, json.bytes)
  }

  package static func redirect(_ status: Int, _ location: String) -> WireReply {
    answer(status, headers: [("Location", location)])
  }
}

/// Cuts HTTP messages out of bytes. As lenient as a test needs; never used on what decides anything.
package struct WireMessage: Sendable {
  package let first: String
  package let headers: [(name: String, value: String)]
  package let body: [UInt8]

  /// Nil until the message is whole. `atEnd`: no more bytes will come.
  package init?(_ bytes: [UInt8], atEnd: Bool = false) {
    guard let end = WireMessage.headEnd(bytes) else { return nil }
    var lines = String(decoding: bytes[..<end], as: UTF8.self).split(
      separator: "\r\n", omittingEmptySubsequences: false)
    guard !lines.isEmpty else { return nil }
    first = String(lines.removeFirst())
    headers = lines.compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      return (line[..<colon].lowercased(), String(value))
    }
    let rest = bytes[(end + 4)...]
    let fields = headers
    func field(_ name: String) -> String? { fields.last { $0.name == name }?.value }
    if field("transfer-encoding")?.lowercased() == "chunked" {
      guard let decoded = WireMessage.dechunked(rest) else { return nil }
      body = decoded
    } else if let length = field("content-length").flatMap({ Int($0) }) {
      guard rest.count >= length || atEnd else { return nil }
      body = Array(rest.prefix(length))
    } else {
      body = atEnd ? Array(rest) : []
    }
  }

  private static func headEnd(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    var index = 0
    while index + 3 < bytes.count {
      if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 { return index }
      index += 1
    }
    return nil
  }

  private static func dechunked(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    var rest = bytes
    var body: [UInt8] = []
    while true {
      guard let end = rest.firstIndex(of: 10) else { return nil }
      let line = String(decoding: rest[..<end], as: UTF8.self).trimmingPrefix(" ").prefix { $0.isHexDigit }
      guard let size = Int(line, radix: 16) else { return nil }
      rest = rest[(end + 1)...]
      if size == 0 { return body }
      guard rest.count >= size + 2 else { return nil }
      body += rest.prefix(size)
      rest = rest.dropFirst(size + 2)
    }
  }
}
