import CLibCrypto
import Primitives

/// A password as it is stored: scrypt (RFC 7914) with its parameters and salt.
///
/// Text: `$scrypt$ln=17,r=8,p=1$<salt>$<hash>`, base64 without padding, as passlib writes it. Making or checking one
/// takes about a quarter of a second of a core and 128 MiB, so the caller bounds how many run at once.
package struct PasswordHash: Hashable, Sendable, LosslessStringConvertible {
  package struct Cost: Hashable, Sendable {
    /// log2 of N.
    package let logN: Int
    package let r: Int
    package let p: Int

    /// N = 2^17, r = 8, p = 1, what OWASP recommends for scrypt.
    package static let standard = Cost(logN: 17, r: 8, p: 1)

    /// Nil for what would take more than 1 GiB or years.
    package init?(checkedLogN logN: Int, r: Int, p: Int) {
      guard (1...20).contains(logN), (1...16).contains(r), (1...16).contains(p) else { return nil }
      self.init(logN: logN, r: r, p: p)
    }

    private init(logN: Int, r: Int, p: Int) {
      self.logN = logN
      self.r = r
      self.p = p
    }
  }

  package let cost: Cost
  private let salt: [UInt8]
  private let hash: [UInt8]

  /// Nil when the password is longer than `Limits.passwordBytes` or memory is short.
  package init?(of password: String, cost: Cost = .standard, random: RandomBytes) {
    let salt = random.make(16)
    guard let hash = PasswordHash.derive(password, salt: salt, cost: cost, length: 32) else { return nil }
    self.cost = cost
    self.salt = salt
    self.hash = hash
  }

  package init?(_ text: String) {
    guard text.utf8.count <= 512 else { return nil }
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = PasswordHash.cost(parts[2]),
      let salt = PasswordHash.unpadded(parts[3]), let hash = PasswordHash.unpadded(parts[4]),
      (8...64).contains(salt.count), (16...64).contains(hash.count)
    else { return nil }
    self.cost = cost
    self.salt = salt
    self.hash = hash
  }

  package var description: String {
    let salt = Base64.encode(salt).prefix { $0 != "=" }
    let hash = Base64.encode(hash).prefix { $0 != "=" }
    return "$scrypt$ln=\(cost.logN),r=\(cost.r),p=\(cost.p)$\(salt)$\(hash)"
  }

  /// Compares in constant time.
  package func matches(_ password: String) -> Bool {
    guard let derived = PasswordHash.derive(password, salt: salt, cost: cost, length: hash.count) else { return false }
    return isEqualInConstantTime(derived, hash)
  }

  /// Whether it was made with other costs than today's and should be made anew at the next login.
  package var isOutdated: Bool { cost != .standard }

  private static func cost(_ text: Substring) -> Cost? {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false)
    guard numbers.count == 3 else { return nil }
    var values: [Int] = []
    for (part, name) in zip(numbers, ["ln=", "r=", "p="]) {
      let digits = part.dropFirst(name.utf8.count)
      guard part.hasPrefix(name), digits.utf8.count <= 2, digits.utf8.allSatisfy(isDigit), let value = Int(digits)
      else { return nil }
      values.append(value)
    }
    guard values.count == 3 else { return nil }
    return Cost(checkedLogN: values[0], r: values[1], p: values[2])
  }

  private static func unpadded(_ text: Substring) -> [UInt8]? {
    Base64.decode(text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4))
  }

  private static func derive(_ password: String, salt: [UInt8], cost: Cost, length: Int) -> [UInt8]? {
    var input = Array(password.utf8)
    guard input.count <= Limits.passwordBytes else { return nil }
    defer { atelier_cleanse(&input, input.count) }
    let n = UInt64(1) << UInt64(cost.logN)
    // 128·N·r for the table, 128·r·p and a little for the rest.
    let memory = 128 * UInt64(cost.r) * (n + UInt64(cost.p) + 2) + (1 << 20)
    var out = [UInt8](repeating: 0, count: length)
    let done = atelier_scrypt(
      input, input.count, salt, salt.count, n, UInt64(cost.r), UInt64(cost.p), memory, &out, out.count)
    return done == 1 ? out : nil
  }
}
