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

  private static func read(_ path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else { throw Failure.unreadable(path) }
    return Array(data)
  }

  private static func seal(_ secret: [UInt8], _ path: String) throws -> KeySeal {
    guard let seal = KeySeal(secret: secret) else { throw Failure.unreadable(path) }
    return seal
  }
}
