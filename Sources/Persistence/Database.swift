/// A store of rows with serialisable writes.
///
/// The closures are synchronous, so no network wait can happen inside a transaction, and the transaction is not
/// `Sendable`, so it cannot leave its closure. A closure does nothing but SQL: it may share its commit with others.
package protocol Database: Sendable {
  /// One consistent state, seen by every statement of `body`. Runs beside writes and other reads.
  func read<T: Sendable>(_ body: @escaping @Sendable (any ReadTransaction) throws -> T) async throws -> T

  /// All of `body` or nothing. Returns after the commit has reached the disk; what `body` throws is thrown again
  /// and its changes are undone. A cancelled task's write still runs: giving back a lease is part of shutting down.
  func write<T: Sendable>(_ body: @escaping @Sendable (any WriteTransaction) throws -> T) async throws -> T
}

package protocol ReadTransaction {
  /// Every row of the answer. Also runs `INSERT ... RETURNING` and its like inside a write.
  func rows(_ sql: SQL) throws -> [Row]
  /// Statements run by this transaction so far, so that a test can hold a page to its budget.
  var statementCount: Int { get }
}

package protocol WriteTransaction: ReadTransaction {
  /// Runs a statement and returns the number of rows it changed.
  @discardableResult func execute(_ sql: SQL) throws -> Int
  /// Sends `signal` once this transaction is on the disk, and never if it is undone.
  func afterCommit(_ signal: Signal)
}

extension ReadTransaction {
  /// The first row of the answer, if there is one.
  package func first(_ sql: SQL) throws -> Row? { try rows(sql).first }
}

/// Why a statement or a commit failed.
package enum DatabaseError: Error, Hashable, Sendable {
  /// The columns of the violated constraint, as `accounts.host, accounts.username`, or the name of its index.
  case unique(String)
  case foreignKey
  /// A CHECK or NOT NULL constraint.
  case check
  /// Another process held the lock for longer than the busy timeout.
  case busy
  /// No space on the device. Reads still work.
  case full
  case readOnly
  /// The file is damaged or no database.
  case corrupt
  /// A failed read, write or sync of the file.
  case inputOutput(code: Int)
  /// SQLite undid the transaction by itself, and this write with it.
  case undone
  /// Text with a null byte: SQLite's interface would cut it there and PostgreSQL refuses it.
  case nullInText
  /// The transaction was used after its closure had returned.
  case transactionEnded
  /// The driver's own code and message, which names tables and columns but never values.
  case other(code: Int, message: String)

  /// Whether the same write may succeed later, so that a caller answers 503 with Retry-After.
  package var isTransient: Bool {
    switch self {
    case .busy, .full, .readOnly, .inputOutput, .undone: true
    case .unique, .foreignKey, .check, .corrupt, .nullInText, .transactionEnded, .other: false
    }
  }
}

/// What a database has done since it was opened.
package struct DatabaseCounters: Hashable, Sendable {
  /// Commits that reached the disk: one sync each, shared by every write that had queued.
  package var commits = 0
  /// Write closures that succeeded.
  package var writes = 0
  /// Write closures that threw, or whose commit failed.
  package var failedWrites = 0
  package var reads = 0
  package var statements = 0
  /// The most write closures that ever shared one commit.
  package var largestBatch = 0
}
