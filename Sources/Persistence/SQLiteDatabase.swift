import Foundation
import GRDB
import Primitives
import Synchronization

/// SQLite in WAL mode with one writing connection and a few reading ones.
package final class SQLiteDatabase: Database {
  package let path: String
  package let signals: SignalCenter
  let pool: DatabasePool
  private let committer: GroupCommitter
  private let lanes: ReadingLanes
  private let names = KnownColumnNames()
  private let tally: Tally

  /// Opens or creates the file at `path`. WAL does not work on a network file system.
  package init(path: String, signals: SignalCenter = SignalCenter()) throws(DatabaseError) {
    let tally = Tally()
    do {
      pool = try DatabasePool(path: path, configuration: SQLiteDatabase.configuration())
      // A 202 is a promise: a commit has to survive a power cut. Set after opening, because GRDB turns the writing
      // connection to NORMAL when it enters WAL mode, whatever was prepared before.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    } catch {
      throw DatabaseError(mapping: error)
    }
    self.path = path
    self.signals = signals
    self.tally = tally
    committer = GroupCommitter(pool: pool, signals: signals, tally: tally, names: names)
    lanes = ReadingLanes(pool: pool, count: Limits.databaseReaders)
  }

  package var counters: DatabaseCounters { tally.snapshot }

  package func read<T: Sendable>(_ body: @escaping @Sendable (any ReadTransaction) throws -> T) async throws -> T {
    do {
      return try await lanes.read { [tally, names] database in
        let transaction = SQLiteTransaction(database, names: names)
        defer { tally.finishRead(transaction.end()) }
        return try body(transaction)
      }
    } catch let error as GRDB.DatabaseError {
      throw DatabaseError(error)
    }
  }

  package func write<T: Sendable>(_ body: @escaping @Sendable (any WriteTransaction) throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      let result = Mutex<T?>(nil)
      committer.submit(
        .init(
          attempt: { transaction in
            do {
              let value = try body(transaction)
              result.withLock { $0 = value }
              return nil
            } catch {
              return (error as? GRDB.DatabaseError).map { DatabaseError($0) } ?? error
            }
          },
          answer: { failure in
            if let failure {
              continuation.resume(throwing: failure)
            } else if let value = result.withLock({ $0 }) {
              continuation.resume(returning: value)
            } else {
              continuation.resume(throwing: DatabaseError.undone)
            }
          }))
    }
  }

  /// Closes every connection, which also moves the log into the file. Later use throws.
  package func close() throws(DatabaseError) {
    do { try pool.close() } catch { throw DatabaseError(mapping: error) }
  }

  private static func configuration() -> GRDB.Configuration {
    var configuration = GRDB.Configuration()
    configuration.foreignKeysEnabled = true
    configuration.busyMode = .timeout(TimeInterval(Limits.databaseBusy.components.seconds))
    configuration.maximumReaderCount = Limits.databaseReaders
    configuration.label = "atelier"
    configuration.prepareDatabase { database in
      // A failed read of a mapped page is a SIGBUS, which kills the process; a failed read(2) is an error.
      try database.execute(sql: "PRAGMA mmap_size = 0")
      try database.execute(sql: "PRAGMA cache_size = -16000")
      try database.execute(sql: "PRAGMA temp_store = MEMORY")
      // A schema that came with a restored file must not call functions with side effects.
      try database.execute(sql: "PRAGMA trusted_schema = OFF")
      try database.execute(sql: "PRAGMA cell_size_check = ON")
      if !database.configuration.readonly {
        try database.execute(sql: "PRAGMA journal_size_limit = \(Limits.databaseLogBytes)")
      }
    }
    return configuration
  }
}

/// Statements of one open transaction.
///
/// Lives on the connection's own serial queue for as long as its closure runs, and refuses to work afterwards.
final class SQLiteTransaction: WriteTransaction {
  private var database: GRDB.Database?
  private let names: KnownColumnNames
  private(set) var statementCount = 0
  private(set) var signals: [Signal] = []

  init(_ database: GRDB.Database, names: KnownColumnNames) {
    self.database = database
    self.names = names
  }

  func rows(_ sql: SQL) throws -> [Row] {
    try run(sql) { statement, _ in
      let names = names.names(of: statement, sql.text)
      let columns = CInt(clamping: statement.columnCount)
      let cursor = try GRDB.Row.fetchCursor(statement)
      var rows: [Row] = []
      // GRDB's row makes the name of a column anew for every value that is taken from it in order.
      while try cursor.next() != nil {
        let values = (0..<columns).map { DatabaseValue(sqliteStatement: statement.sqliteStatement, index: $0) }
        rows.append(Row(columns: names, values: values.map { SQLValue($0) }))
      }
      return rows
    }
  }

  func execute(_ sql: SQL) throws -> Int {
    try run(sql) { statement, database in
      let before = database.totalChangesCount
      try statement.execute()
      return database.totalChangesCount > before ? database.changesCount : 0
    }
  }

  func afterCommit(_ signal: Signal) {
    if !signals.contains(signal) { signals.append(signal) }
  }

  /// Closes the transaction for use and returns the statements it ran.
  func end() -> Int {
    database = nil
    return statementCount
  }

  private func run<T>(_ sql: SQL, _ body: (Statement, GRDB.Database) throws -> T) throws -> T {
    guard let database else { throw DatabaseError.transactionEnded }
    statementCount += 1
    for case .text(let text) in sql.values where text.utf8.contains(0) { throw DatabaseError.nullInText }
    do {
      let statement = try database.cachedStatement(sql: sql.text)
      try statement.setArguments(StatementArguments(sql.values.map(\.databaseValue)))
      return try body(statement, database)
    } catch let error as GRDB.DatabaseError {
      throw DatabaseError(error)
    }
  }
}

extension SQLValue {
  init(_ value: DatabaseValue) {
    self =
      switch value.storage {
      case .null: .null
      case .int64(let integer): .integer(integer)
      case .double(let double): .real(double)
      case .string(let text): .text(text)
      case .blob(let data): .blob([UInt8](data))
      }
  }

  var databaseValue: DatabaseValue {
    switch self {
    case .null: .null
    case .boolean(let boolean): boolean.databaseValue
    case .integer(let integer): integer.databaseValue
    case .real(let double): double.databaseValue
    case .text(let text): text.databaseValue
    case .blob(let bytes): Data(bytes).databaseValue
    }
  }
}

extension DatabaseError {
  init(mapping error: any Error) {
    if let error = error as? GRDB.DatabaseError {
      self.init(error)
    } else if let error = error as? DatabaseError {
      self = error
    } else {
      self = .other(code: -1, message: String(describing: error))
    }
  }

  init(_ error: GRDB.DatabaseError) {
    let code = Int(error.extendedResultCode.rawValue)
    let message = error.message ?? ""
    self =
      switch error.extendedResultCode {
      case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
        .unique(DatabaseError.constraintName(message))
      case .SQLITE_CONSTRAINT_FOREIGNKEY: .foreignKey
      case .SQLITE_CONSTRAINT_CHECK, .SQLITE_CONSTRAINT_NOTNULL: .check
      default:
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
        case .SQLITE_FULL: .full
        case .SQLITE_READONLY: .readOnly
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
        case .SQLITE_IOERR, .SQLITE_CANTOPEN: .inputOutput(code: code)
        default: .other(code: code, message: message)
        }
      }
  }

  /// `UNIQUE constraint failed: accounts.host, accounts.username` and `... failed: index 'accounts_by_key'`.
  private static func constraintName(_ message: String) -> String {
    guard let colon = message.firstIndex(of: ":") else { return message }
    let name = message[message.index(after: colon)...].drop { $0 == " " }
    return name.hasPrefix("index '") ? String(name.dropFirst(7).dropLast()) : String(name)
  }
}
