import GRDB
import Primitives
import Synchronization

/// Lets concurrent writes share a commit, since a commit costs a sync of the disk and a write does not.
///
/// While one batch commits, later closures queue; the next batch takes what has queued, each in a savepoint of its
/// own inside one transaction. An idle committer starts at once: nobody ever waits for company.
final class GroupCommitter: Sendable {
  /// One queued closure.
  struct Pending: Sendable {
    /// Runs the closure and keeps its result. Nil on success, otherwise what it threw.
    let attempt: @Sendable (SQLiteTransaction) -> (any Error)?
    /// Answers the caller, once: with nil after the commit, otherwise with the reason.
    let answer: @Sendable ((any Error)?) -> Void
  }

  /// A closure that ran in its savepoint.
  private struct Outcome {
    let pending: Pending
    let failure: (any Error)?
    let signals: [Signal]
  }

  private struct Queue {
    var waiting: [Pending] = []
    var isRunning = false
  }

  private let pool: DatabasePool
  private let signals: SignalCenter
  private let tally: Tally
  private let names: KnownColumnNames
  private let queue = Mutex(Queue())

  init(pool: DatabasePool, signals: SignalCenter, tally: Tally, names: KnownColumnNames) {
    self.pool = pool
    self.signals = signals
    self.tally = tally
    self.names = names
  }

  func submit(_ pending: Pending) {
    let isIdle = queue.withLock { queue in
      queue.waiting.append(pending)
      defer { queue.isRunning = true }
      return !queue.isRunning
    }
    if isIdle { runNextBatch() }
  }

  /// Hands each batch to the connection's queue anew, so that a checkpoint or a migration gets its turn between two.
  private func runNextBatch() {
    pool.asyncWriteWithoutTransaction { database in
      let batch = self.queue.withLock { queue in
        let batch = Array(queue.waiting.prefix(Limits.writesPerCommit))
        queue.waiting.removeFirst(batch.count)
        return batch
      }
      self.commit(batch, on: database)
      let isDone = self.queue.withLock { queue in
        queue.isRunning = !queue.waiting.isEmpty
        return !queue.isRunning
      }
      if !isDone { self.runNextBatch() }
    }
  }

  private func commit(_ batch: [Pending], on database: GRDB.Database) {
    var outcomes: [Outcome] = []
    var statements = 0
    var loss: DatabaseError?
    do {
      try database.beginTransaction(.immediate)
      for pending in batch { outcomes.append(try run(pending, on: database, statements: &statements)) }
      // With nothing to keep there is nothing to sync.
      if outcomes.contains(where: { $0.failure == nil }) { try database.commit() } else { try database.rollback() }
    } catch {
      loss = DatabaseError(mapping: error)
    }
    if database.isInsideTransaction { undo(database) }
    let kept = loss == nil ? outcomes.filter { $0.failure == nil } : []
    tally.finishBatch(kept: kept.count, of: batch.count, statements: statements)
    for outcome in kept { outcome.signals.forEach(signals.send) }
    for outcome in outcomes { outcome.pending.answer(outcome.failure ?? loss) }
    for pending in batch.dropFirst(outcomes.count) { pending.answer(loss) }
  }

  /// Runs one closure in its savepoint. Throws when the transaction as a whole was lost.
  private func run(
    _ pending: Pending, on database: GRDB.Database, statements: inout Int
  ) throws -> Outcome {
    try database.cachedStatement(sql: "SAVEPOINT closure").execute()
    let transaction = SQLiteTransaction(database, names: names)
    let failure = pending.attempt(transaction)
    statements += transaction.end()
    // SQLite undoes a whole transaction by itself when the disk is full or fails: the closures before this one are
    // lost with it, and they must hear so.
    guard database.isInsideTransaction else { throw failure as? DatabaseError ?? .undone }
    if failure != nil { try database.cachedStatement(sql: "ROLLBACK TO closure").execute() }
    try database.cachedStatement(sql: "RELEASE closure").execute()
    return Outcome(pending: pending, failure: failure, signals: transaction.signals)
  }

  private func undo(_ database: GRDB.Database) {
    do { try database.rollback() } catch { preconditionFailure("a connection can not leave its transaction: \(error)") }
  }
}
