import Primitives

/// RFC 7578 over a body that has arrived whole. Bounded in parts; the bytes were bounded before.
package enum MultipartForm {
  package struct Part: Sendable {
    package var name: String
    package var fileName: String?
    package var mediaType: String
    package var bytes: [UInt8]
  }

  /// The boundary of a `multipart/form-data` content type; 1 to 70 characters by RFC 2046 §5.1.1.
  package static func boundary(in contentType: String) -> String? {
    guard let value = parameter("boundary", of: contentType), (1...70).contains(value.utf8.count) else { return nil }
    return value
  }

  package static func parts(of body: [UInt8], boundary: String) throws -> [Part] {
    let delimiter = Array("--\(boundary)".utf8)
    var found: [Part] = []
    guard var index = range(of: delimiter, in: body, from: 0)?.upperBound else { throw Problem.malformedForm }
    while true {
      // "--" after the delimiter ends the form.
      if body[index...].starts(with: [45, 45]) { return found }
      guard body[index...].starts(with: [13, 10]), found.count < Limits.multipartParts,
        let end = range(of: [13, 10] + delimiter, in: body, from: index)
      else { throw Problem.malformedForm }
      found.append(try part(body[(index + 2)..<max(end.lowerBound, index + 2)]))
      index = end.upperBound
    }
  }

  private static func part(_ bytes: ArraySlice<UInt8>) throws -> Part {
    let content = Array(bytes)
    guard let gap = range(of: [13, 10, 13, 10], in: content, from: 0), gap.lowerBound <= 4_096,
      let head = String(validating: content[..<gap.lowerBound], as: UTF8.self)
    else { throw Problem.malformedForm }
    var part = Part(name: "", mediaType: "text/plain", bytes: Array(content[gap.upperBound...]))
    for line in head.split(separator: "\r\n") {
      guard let colon = line.firstIndex(of: ":") else { throw Problem.malformedForm }
      let value = String(line[line.index(after: colon)...])
      switch line[..<colon].lowercased() {
      case "content-disposition":
        guard let name = parameter("name", of: value) else { throw Problem.malformedForm }
        part.name = name
        part.fileName = parameter("filename", of: value)
      case "content-type": part.mediaType = String(value.drop { $0 == " " })
      default: break
      }
    }
    return part
  }

  /// A `name=value` or `name="value"` parameter after the first `;`. Browsers escape a quote as `%22`.
  private static func parameter(_ name: String, of header: String) -> String? {
    for piece in header.split(separator: ";").dropFirst() {
      let trimmed = piece.drop { $0 == " " }
      guard let equals = trimmed.firstIndex(of: "="), trimmed[..<equals].lowercased() == name else { continue }
      var value = trimmed[trimmed.index(after: equals)...]
      while value.last == " " { value = value.dropLast() }
      if value.first == "\"", value.last == "\"", value.count >= 2 { value = value.dropFirst().dropLast() }
      return String(value)
    }
    return nil
  }

  private static func range(of needle: [UInt8], in bytes: [UInt8], from start: Int) -> Range<Int>? {
    guard let first = needle.first, start <= bytes.count - needle.count else { return nil }
    return bytes.withUnsafeBufferPointer { buffer in
      var index = start
      let last = buffer.count - needle.count
      while index <= last {
        if buffer[index] == first, buffer[index..<(index + needle.count)].elementsEqual(needle) {
          return index..<(index + needle.count)
        }
        index += 1
      }
      return nil
    }
  }
}
