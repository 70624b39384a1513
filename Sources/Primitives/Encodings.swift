/// RFC 4648 §4 and §5. Decoding is strict: one canonical text for every value, or nil.
package enum Base64 {
  private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let url = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  private static let standardValues = values(of: standard)
  private static let urlValues = values(of: url)

  private static func values(of alphabet: [UInt8]) -> [UInt8] {
    var table = [UInt8](repeating: 255, count: 256)
    for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
    return table
  }

  package static func encode(_ bytes: some Sequence<UInt8>) -> String { write(bytes, alphabet: standard, padded: true) }
  package static func encodeURL(_ bytes: some Sequence<UInt8>) -> String { write(bytes, alphabet: url, padded: false) }

  /// Padded standard base64 without white space; non-zero trailing bits are refused.
  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var bytes = Array(text.utf8)
    guard bytes.count % 4 == 0 else { return nil }
    var padding = 0
    while padding < 2, bytes.last == UInt8(ascii: "=") {
      bytes.removeLast()
      padding += 1
    }
    return read(bytes, values: standardValues)
  }

  /// Unpadded base64url.
  package static func decodeURL(_ text: some StringProtocol) -> [UInt8]? { read(Array(text.utf8), values: urlValues) }

  private static func write(_ bytes: some Sequence<UInt8>, alphabet: [UInt8], padded: Bool) -> String {
    let input = Array(bytes)
    var out: [UInt8] = []
    out.reserveCapacity((input.count + 2) / 3 * 4)
    var index = 0
    while index < input.count {
      let count = min(3, input.count - index)
      var group: UInt32 = 0
      for offset in 0..<3 { group = group << 8 | (offset < count ? UInt32(input[index + offset]) : 0) }
      for digit in 0...count { out.append(alphabet[Int(group >> (18 - 6 * UInt32(digit)) & 63)]) }
      if padded { for _ in count..<3 { out.append(UInt8(ascii: "=")) } }
      index += 3
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func read(_ digits: [UInt8], values: [UInt8]) -> [UInt8]? {
    guard digits.count % 4 != 1 else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(digits.count * 3 / 4)
    var buffer: UInt32 = 0
    var bits: UInt32 = 0
    for digit in digits {
      let value = values[Int(digit)]
      guard value != 255 else { return nil }
      buffer = buffer << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(buffer >> bits & 0xff))
      }
      buffer &= (1 << bits) - 1
    }
    return buffer == 0 ? out : nil
  }
}

package enum Hex {
  private static let digits = Array("0123456789abcdef".utf8)

  package static func encode(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let input = Array(text.utf8)
    guard input.count % 2 == 0 else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(input.count / 2)
    for index in stride(from: 0, to: input.count, by: 2) {
      guard let high = value(input[index]), let low = value(input[index + 1]) else { return nil }
      out.append(high << 4 | low)
    }
    return out
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// The Bitcoin alphabet, which multibase calls `base58btc` (prefix `z`).
package enum Base58 {
  private static let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
  /// Quadratic work: keys, digests and signatures are under 128 bytes, so longer input is refused.
  private static let longest = 256

  package static func encode(_ bytes: [UInt8]) -> String {
    let zeros = bytes.prefix { $0 == 0 }.count
    var digits: [UInt8] = []
    for byte in bytes.dropFirst(zeros) {
      var carry = Int(byte)
      for index in digits.indices {
        carry += Int(digits[index]) << 8
        digits[index] = UInt8(carry % 58)
        carry /= 58
      }
      while carry > 0 {
        digits.append(UInt8(carry % 58))
        carry /= 58
      }
    }
    let text = [UInt8](repeating: alphabet[0], count: zeros) + digits.reversed().map { alphabet[Int($0)] }
    return String(decoding: text, as: UTF8.self)
  }

  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let input = Array(text.utf8)
    guard input.count <= longest else { return nil }
    let ones = input.prefix { $0 == alphabet[0] }.count
    var bytes: [UInt8] = []
    for digit in input.dropFirst(ones) {
      guard let value = alphabet.firstIndex(of: digit) else { return nil }
      var carry = value
      for index in bytes.indices {
        carry += Int(bytes[index]) * 58
        bytes[index] = UInt8(carry & 0xff)
        carry >>= 8
      }
      while carry > 0 {
        bytes.append(UInt8(carry & 0xff))
        carry >>= 8
      }
    }
    return [UInt8](repeating: 0, count: ones) + bytes.reversed()
  }
}
