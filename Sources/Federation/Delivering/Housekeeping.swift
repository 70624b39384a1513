import Model
import Operations
import Persistence
import Primitives
import Store

/// Forgets what has had its time. Called now and then; every part may be repeated.
package struct Housekeeping: Sendable {
  private let database: any Database
  private let time: TimeSource

  package init(database: any Database, time: TimeSource) {
    self.database = database
    self.time = time
  }

  /// Each part in a commit of its own, so that a long one holds up no inbox.
  package func sweep() async throws {
    let now = time.now()
    @Sendable func ago(_ duration: Duration) -> Timestamp { now.adding(.zero - duration) }
    _ = try await database.write { try $0.expireDeliveries(createdBefore: ago(Limits.delivery)) }
    try await database.write {
      try $0.deleteOutgoing(createdBefore: ago(Limits.delivery), shown: ago(Limits.delivery + Limits.expiredShown))
    }
    try await database.write { try $0.deleteInboxActivities(receivedBefore: ago(Limits.seenActivities)) }
    try await database.write { tx in
      try tx.deleteSessions(expiredBefore: now)
      try tx.deleteIdempotencyKeys(before: ago(Limits.idempotencyKeys))
      try tx.endMutes(at: now)
      try tx.deleteCodes(expiredBefore: ago(Limits.idempotencyKeys))
      try tx.deleteApplications(unusedBefore: ago(Limits.unusedApplication))
      try tx.forgetJoining(at: now)
    }
  }
}
