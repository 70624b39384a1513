/// DEFLATE (RFC 1951) with a ceiling on what comes out, for the few compressed texts of PNG and hidden payloads.
///
/// Nothing is ever produced beyond `limit`; a stream that wants more is refused whole. Time is linear in the larger of
/// input and output: codes are read by counting, without tables that a stream of tiny blocks could make us rebuild.
package enum Inflate {
  package static func raw(_ bytes: ArraySlice<UInt8>, limit: Int) -> [UInt8]? {
    var stream = InflateStream(bytes, limit: limit)
    return stream.run() ? stream.output : nil
  }

  /// RFC 1950. The checksum is verified, so that a payload found by chance is not taken for one.
  package static func zlib(_ bytes: ArraySlice<UInt8>, limit: Int) -> [UInt8]? {
    guard let method = bytes.byte(0), let flags = bytes.byte(1), method & 0x0F == 8, (method << 8 | flags) % 31 == 0,
      flags & 0x20 == 0
    else { return nil }
    var stream = InflateStream(bytes.rest(from: 2), limit: limit)
    guard stream.run() else { return nil }
    guard stream.remainder.number32(0) == adler(stream.output) else { return nil }
    return stream.output
  }

  /// RFC 1952, one member.
  package static func gzip(_ bytes: ArraySlice<UInt8>, limit: Int) -> [UInt8]? {
    guard bytes.part(0, 3).map(Array.init) == [0x1F, 0x8B, 8], let flags = bytes.byte(3) else { return nil }
    var offset = 10
    if flags & 4 != 0 {
      guard let extra = bytes.number16(offset, .little) else { return nil }
      offset += 2 + extra
    }
    for flag in [8, 16] where flags & flag != 0 {
      guard let (text, _) = bytes.rest(from: offset).split(atFirst: 0) else { return nil }
      offset += text.count + 1
    }
    if flags & 2 != 0 { offset += 2 }
    var stream = InflateStream(bytes.rest(from: offset), limit: limit)
    guard stream.run(), stream.remainder.number32(4, .little) == stream.output.count else { return nil }
    return stream.output
  }

  private static func adler(_ bytes: [UInt8]) -> Int {
    var low = 1
    var high = 0
    for byte in bytes {
      low = (low + Int(byte)) % 65_521
      high = (high + low) % 65_521
    }
    return high << 16 | low
  }
}

/// A prefix code as the number of codes of each length, and the symbols in the order of their codes.
private struct PrefixCode {
  private var counts = [Int](repeating: 0, count: 16)
  private var symbols: [Int] = []

  /// Nil when the lengths ask for more codes than there are.
  init?(lengths: ArraySlice<Int>) {
    for length in lengths where (0...15).contains(length) { counts[length] += 1 }
    counts[0] = 0
    var left = 1
    for length in 1...15 {
      left = left * 2 - counts[length]
      if left < 0 { return nil }
    }
    for length in 1...15 where counts[length] > 0 {
      for (symbol, own) in lengths.enumerated() where own == length { symbols.append(symbol) }
    }
  }

  func decode(_ stream: inout InflateStream) -> Int? {
    var code = 0
    var first = 0
    var index = 0
    for length in 1...15 {
      guard let bit = stream.bits(1) else { return nil }
      code |= bit
      let count = counts[length]
      if code - first < count {
        let position = index + code - first
        return symbols.indices.contains(position) ? symbols[position] : nil
      }
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    return nil
  }
}

private struct InflateStream {
  private let bytes: ArraySlice<UInt8>
  private let limit: Int
  private var position: Int
  private var buffer = 0
  private var buffered = 0
  private(set) var output: [UInt8] = []

  init(_ bytes: ArraySlice<UInt8>, limit: Int) {
    self.bytes = bytes
    self.limit = limit
    position = bytes.startIndex
  }

  /// What follows the last block, from the next whole byte.
  var remainder: ArraySlice<UInt8> { bytes.rest(from: position - bytes.startIndex - buffered / 8) }

  mutating func bits(_ count: Int) -> Int? {
    while buffered < count {
      guard position < bytes.endIndex else { return nil }
      buffer |= Int(bytes[position]) << buffered
      position += 1
      buffered += 8
    }
    let value = buffer & (1 << count - 1)
    buffer >>= count
    buffered -= count
    return value
  }

  mutating func run() -> Bool {
    while true {
      guard let isLast = bits(1), let kind = bits(2) else { return false }
      let isWhole: Bool =
        switch kind {
        case 0: stored()
        case 1: compressed(Self.fixedLiterals, Self.fixedDistances)
        case 2: dynamic()
        default: false
        }
      guard isWhole else { return false }
      if isLast == 1 { return true }
    }
  }

  private mutating func stored() -> Bool {
    buffer = 0
    position -= buffered / 8
    buffered = 0
    let data = bytes.rest(from: position - bytes.startIndex)
    guard let length = data.number16(0, .little), let check = data.number16(2, .little), length ^ 0xFFFF == check,
      let part = data.part(4, length), length <= limit - output.count
    else { return false }
    output += part
    position = part.endIndex
    return true
  }

  private mutating func dynamic() -> Bool {
    guard let literals = bits(5), let distances = bits(5), let codes = bits(4), literals <= 29, distances <= 29 else {
      return false
    }
    var lengths = [Int](repeating: 0, count: 19)
    for place in Self.codeOrder.prefix(codes + 4) {
      guard let length = bits(3) else { return false }
      lengths[place] = length
    }
    guard let code = PrefixCode(lengths: lengths[...]),
      let all = codeLengths(count: literals + 257 + distances + 1, code),
      let literalCode = PrefixCode(lengths: all.prefix(literals + 257)),
      let distanceCode = PrefixCode(lengths: all.dropFirst(literals + 257))
    else { return false }
    return compressed(literalCode, distanceCode)
  }

  private mutating func codeLengths(count: Int, _ code: PrefixCode) -> [Int]? {
    var lengths: [Int] = []
    while lengths.count < count {
      guard let symbol = code.decode(&self) else { return nil }
      let (value, times): (Int, Int?)
      switch symbol {
      case 16:
        guard let last = lengths.last else { return nil }
        (value, times) = (last, bits(2).map { $0 + 3 })
      case 17: (value, times) = (0, bits(3).map { $0 + 3 })
      case 18: (value, times) = (0, bits(7).map { $0 + 11 })
      default: (value, times) = (symbol, 1)
      }
      guard let times, times <= count - lengths.count else { return nil }
      lengths += repeatElement(value, count: times)
    }
    return lengths
  }

  private mutating func compressed(_ literals: PrefixCode?, _ distances: PrefixCode?) -> Bool {
    guard let literals, let distances else { return false }
    while let symbol = literals.decode(&self) {
      if symbol == 256 { return true }
      if symbol < 256 {
        guard output.count < limit else { return false }
        output.append(UInt8(truncatingIfNeeded: symbol))
      } else {
        guard copy(lengthSymbol: symbol - 257, distances) else { return false }
      }
    }
    return false
  }

  private mutating func copy(lengthSymbol: Int, _ distances: PrefixCode) -> Bool {
    guard Self.lengths.indices.contains(lengthSymbol), let extra = bits(Self.lengths[lengthSymbol].extra),
      let symbol = distances.decode(&self), Self.distances.indices.contains(symbol),
      let far = bits(Self.distances[symbol].extra)
    else { return false }
    let length = Self.lengths[lengthSymbol].base + extra
    let distance = Self.distances[symbol].base + far
    guard distance <= output.count, length <= limit - output.count else { return false }
    for _ in 0..<length { output.append(output[output.count - distance]) }
    return true
  }

  private static let codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
  private static let fixedLiterals = PrefixCode(
    lengths: ([Int](repeating: 8, count: 144) + [Int](repeating: 9, count: 112) + [Int](repeating: 7, count: 24)
      + [Int](repeating: 8, count: 8))[...])
  private static let fixedDistances = PrefixCode(lengths: [Int](repeating: 5, count: 30)[...])

  /// RFC 1951 §3.2.5: base and extra bits, built by its rule rather than copied.
  private static let lengths: [(base: Int, extra: Int)] = {
    var table: [(base: Int, extra: Int)] = (0..<8).map { (3 + $0, 0) }
    var base = 11
    for extra in 1...5 {
      for _ in 0..<4 {
        table.append((base, extra))
        base += 1 << extra
      }
    }
    table.append((258, 0))
    return table
  }()
  private static let distances: [(base: Int, extra: Int)] = {
    var table: [(base: Int, extra: Int)] = (0..<4).map { (1 + $0, 0) }
    var base = 5
    for extra in 1...13 {
      for _ in 0..<2 {
        table.append((base, extra))
        base += 1 << extra
      }
    }
    return table
  }()
}
