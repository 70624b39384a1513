import Crypto
import Foundation
import Primitives
import Signatures

/// The 32 bytes that open the signing keys. Kept outside the database, so that a stolen copy of it signs nothing.
package enum InstanceSecret {
  package enum Failure: Error, CustomStringConvertible, Sendable {
    case unreadable(String)
    case permissions(String)
    case notWritten(String)

    package var description: String {
      switch self {
      case .unreadable(let path): "\(path) does not hold the 32 bytes of this instance's secret."
      case .permissions(let path): "\(path) can be read by others. Run: chmod 600 \(path)"
      case .notWritten(let path): "\(path) could not be written."
      }
    }
  }

  /// Reads the service manager's credential, or the file beside the database, which is made at first start.
  package static func load(
    path: String, credentials: String?, random: RandomBytes
  ) throws -> KeySeal {
    if let credentials {
      let file = credentials + "/instance.secret"
      if FileManager.default.fileExists(atPath: file) { return try seal(try read(file), file) }
    }
    if FileManager.default.fileExists(atPath: path) {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o777
      guard mode & 0o077 == 0 else { throw Failure.permissions(path) }
      return try seal(try read(path), path)
    }
    let secret = random.make(32)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure.notWritten(path) }
    defer { close(descriptor) }
    guard write(descriptor, secret, secret.count) == secret.count, fsync(descriptor) == 0 else {
      throw Failure.notWritten(path)
    }
    return try seal(secret, path)
  }

  /// Tells whether two secrets are one, and nothing else of them.
  package static func fingerprint(of secret: [UInt8]) -> String {
    Hex.encode(Array(SHA256.hash(data: Array("atelier instance secret\0".utf8) + secret).prefix(8)))
  }

  /// The secret for paper: groups of four digits, the last of which tells a slip of the pen.
  package static func written(_ secret: [UInt8]) -> String {
    let digits = Array(Hex.encode(secret) + fingerprint(of: secret).prefix(4))
    return stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<min($0 + 4, digits.count)]) }
      .joined(separator: " ")
  }

  /// Reads what a file of the secret holds: the 32 bytes, or what `written` made of them. Nil for anything else.
  package static func parse(_ bytes: [UInt8]) -> [UInt8]? {
    if bytes.count == 32 { return bytes }
    guard bytes.count < 1_024 else { return nil }
    let digits = String(decoding: bytes, as: UTF8.self).lowercased().filter { !$0.isWhitespace && $0 != "-" }
    guard digits.utf8.count == 68, let secret = Hex.decode(String(digits.prefix(64))),
      fingerprint(of: secret).prefix(4) == digits.suffix(4)
    else { return nil }
    return secret
  }

  /// The secret itself, for a backup that is to hold it.
  static func bytes(_ settings: Settings, _ surroundings: Surroundings) throws -> [UInt8] {
    if let file = surroundings.credentials.map({ $0 + "/instance.secret" }),
      FileManager.default.fileExists(atPath: file)
    {
      return try read(file)
    }
    return try read(settings.secretPath)
  }

  private static func read(_ path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else { throw Failure.unreadable(path) }
    return Array(data)
  }

  private static func seal(_ secret: [UInt8], _ path: String) throws -> KeySeal {
    guard let seal = KeySeal(secret: secret) else { throw Failure.unreadable(path) }
    return seal
  }
}
