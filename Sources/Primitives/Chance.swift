/// Chance, handed in like time, so that a test may own it.
package struct RandomBytes: Sendable {
  package var make: @Sendable (Int) -> [UInt8]
  package init(make: @escaping @Sendable (Int) -> [UInt8]) { self.make = make }

  /// The operating system's generator, fit for secrets.
  package static let system = RandomBytes { count in
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  /// A number in 0..<1 with 53 random bits.
  package func unit() -> Double {
    let bits = make(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Double(bits >> 11) * 0x1p-53
  }

  /// `count` random bytes as unpadded base64url: 32 bytes are 43 characters.
  package func token(bytes count: Int = 32) -> String { Base64.encodeURL(make(count)) }
}
