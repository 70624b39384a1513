import Dispatch
import GRDB
import Synchronization

/// The threads that read, one for each reading connection.
///
/// GRDB's own asynchronous read asks one queue for a connection and the connection's queue for the work. A page is
/// a few dozen microseconds of SQL, and waking two threads for each was a fifth of what an answer cost. A lane that has
/// finished takes the next waiting read without going to sleep.
final class ReadingLanes: Sendable {
  /// Reads its connection and answers its caller, once.
  typealias Work = @Sendable () -> Void

  private struct State {
    /// What came in, oldest first, and what was turned over to be taken, oldest last.
    var arrived: [Work] = []
    var turned: [Work] = []
    /// Lanes without work. The last to have finished goes on first: its caches are warm.
    var idle: [Int]

    mutating func next() -> Work? {
      if turned.isEmpty {
        swap(&arrived, &turned)
        turned.reverse()
      }
      return turned.popLast()
    }
  }

  private let pool: DatabasePool
  private let lanes: [DispatchQueue]
  private let state: Mutex<State>

  init(pool: DatabasePool, count: Int) {
    self.pool = pool
    lanes = (0..<count).map { DispatchQueue(label: "atelier.read.\($0)") }
    state = Mutex(State(idle: Array(0..<count)))
  }

  /// Calls `body` within a transaction of its own.
  func read<T: Sendable>(_ body: @escaping @Sendable (GRDB.Database) throws -> T) async throws -> T {
    try Task.checkCancellation()
    return try await withCheckedThrowingContinuation { continuation in
      submit { [pool] in continuation.resume(with: Result { try ReadingLanes.run(body, on: pool) }) }
    }
  }

  private func submit(_ work: @escaping Work) {
    let lane = state.withLock { state in
      state.arrived.append(work)
      return state.idle.popLast()
    }
    if let lane { lanes[lane].async { self.drain(lane) } }
  }

  private func drain(_ lane: Int) {
    while let work = state.withLock({ state in
      let work = state.next()
      if work == nil { state.idle.append(lane) }
      return work
    }) { work() }
  }

  /// Everything `body` reads is of one moment. Beginning and ending are statements kept prepared like any other.
  private static func run<T>(_ body: (GRDB.Database) throws -> T, on pool: DatabasePool) throws -> T {
    try pool.unsafeRead { database in
      try database.cachedStatement(sql: "BEGIN DEFERRED TRANSACTION").execute()
      defer { leave(database) }
      return try body(database)
    }
  }

  private static func leave(_ database: GRDB.Database) {
    // A failed statement may have ended the transaction already.
    guard database.isInsideTransaction else { return }
    do { try database.cachedStatement(sql: "COMMIT TRANSACTION").execute() } catch {
      do { try database.rollback() } catch {
        preconditionFailure("a connection can not leave its transaction: \(error)")
      }
    }
  }
}
