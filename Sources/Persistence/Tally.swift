import Synchronization

/// Counts what a database does.
final class Tally: Sendable {
  private let counters = Mutex(DatabaseCounters())

  var snapshot: DatabaseCounters { counters.withLock { $0 } }

  func finishRead(_ statements: Int) {
    counters.withLock { counters in
      counters.reads += 1
      counters.statements += statements
    }
  }

  func finishBatch(kept: Int, of count: Int, statements: Int) {
    counters.withLock { counters in
      if kept > 0 { counters.commits += 1 }
      counters.writes += kept
      counters.failedWrites += count - kept
      counters.statements += statements
      counters.largestBatch = max(counters.largestBatch, count)
    }
  }
}
