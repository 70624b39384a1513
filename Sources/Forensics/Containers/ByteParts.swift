/// The order of the bytes of a number.
package enum ByteOrder: Hashable, Sendable { case big, little }

/// Reading out of bytes that may end anywhere: every position is checked, and what is not there is nil.
///
/// Positions count from the start of the slice, whatever its indices are.
extension ArraySlice where Element == UInt8 {
  /// The `count` bytes from `offset`, or nil when they are not all there.
  package func part(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
    let start = startIndex + offset
    return self[start..<(start + count)]
  }

  /// Everything from `offset`; empty when there is nothing.
  package func rest(from offset: Int) -> ArraySlice<UInt8> {
    guard offset >= 0, offset <= count else { return [] }
    return self[(startIndex + offset)...]
  }

  package func byte(_ offset: Int) -> Int? {
    guard offset >= 0, offset < count else { return nil }
    return Int(self[startIndex + offset])
  }

  package func number16(_ offset: Int, _ order: ByteOrder = .big) -> Int? {
    guard let part = part(offset, 2), let first = part.first, let last = part.last else { return nil }
    return order == .big ? Int(first) << 8 | Int(last) : Int(last) << 8 | Int(first)
  }

  package func number24(_ offset: Int, _ order: ByteOrder) -> Int? {
    guard let part = part(offset, 3) else { return nil }
    return fold(part, order)
  }

  package func number32(_ offset: Int, _ order: ByteOrder = .big) -> Int? {
    guard let part = part(offset, 4) else { return nil }
    return fold(part, order)
  }

  /// A 64-bit number, nil also when it does not fit a signed one: no length in a file we accept is that long.
  package func number64(_ offset: Int, _ order: ByteOrder = .big) -> Int? {
    guard let part = part(offset, 8) else { return nil }
    let bits =
      order == .big
      ? part.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      : part.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: bits)
  }

  private func fold(_ part: ArraySlice<UInt8>, _ order: ByteOrder) -> Int {
    order == .big ? part.reduce(0) { $0 << 8 | Int($1) } : part.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  package func hasPrefix(_ text: String, at offset: Int = 0) -> Bool {
    guard offset >= 0, offset <= count else { return false }
    return rest(from: offset).starts(with: text.utf8)
  }

  /// Where `pattern` first occurs at or after `offset`.
  package func offset(of pattern: some Collection<UInt8>, from offset: Int = 0) -> Int? {
    guard let first = pattern.first, offset >= 0, pattern.count <= count else { return nil }
    var position = offset
    let last = count - pattern.count
    while position <= last {
      if self[startIndex + position] == first, rest(from: position).starts(with: pattern) { return position }
      position += 1
    }
    return nil
  }

  /// The bytes before the first `separator` and those after it; nil when there is none.
  package func split(atFirst separator: UInt8) -> (head: ArraySlice<UInt8>, tail: ArraySlice<UInt8>)? {
    guard let index = firstIndex(of: separator) else { return nil }
    return (self[startIndex..<index], self[index...].dropFirst())
  }

  /// UTF-8 where it is valid, else Latin-1: PNG says Latin-1 and many generators write UTF-8.
  package var text: String {
    String(validating: self, as: UTF8.self) ?? String(decoding: map { UInt16($0) }, as: UTF16.self)
  }
}
