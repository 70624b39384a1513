import Foundation
import Model
import Operations
import Persistence
import Primitives
import Store

/// How much room pictures may take.
package struct StorageBounds: Hashable, Sendable {
  /// Bytes of one account's pictures, what was sent and what was made of it; nil is as many as there is room for.
  package var perAccount: Int?
  /// Bytes that stay free on the disk: the database needs them to go on.
  package var keptFree: Int

  package init(perAccount: Int? = nil, keptFree: Int = 512 << 20) {
    self.perAccount = perAccount
    self.keptFree = keptFree
  }
}

extension OperationFailure {
  static let noSpace = OperationFailure(
    .full, "media.no_space", "This server has no room for more pictures. Its operator has to make some.")
}

extension MediaPipeline {
  /// Asked before the worker is: what can not be kept is not looked at.
  func requireRoom(for size: Int, of owner: Account) async throws {
    if let most = bounds.perAccount {
      let used = try await database.read { try $0.storedBytes(of: owner.id) }
      guard used <= most, size <= most - used else {
        throw OperationFailure(
          .invalid, "media.quota_exceeded",
          "Your pictures may take \(most >> 20) MiB here, and this one does not fit. Delete some, or ask for more room."
        )
      }
    }
    guard let free = blobs.freeBytes else { return }
    guard free >= bounds.keptFree, size <= free - bounds.keptFree else { throw OperationFailure.noSpace }
  }
}

extension BlobStore {
  /// What this process may still write; nil when nobody can tell.
  var freeBytes: Int? {
    var found = statvfs()
    guard statvfs(root, &found) == 0 else { return nil }
    let (bytes, isHuge) = UInt64(found.f_bavail).multipliedReportingOverflow(by: UInt64(found.f_frsize))
    return isHuge ? nil : Int(exactly: bytes)
  }
}
