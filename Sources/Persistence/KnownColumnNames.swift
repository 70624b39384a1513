import GRDB
import Synchronization

/// The columns of statements that have run, so that a statement's names are put in order once.
final class KnownColumnNames: Sendable {
  private let known = Mutex<[String: ColumnNames]>([:])
  /// Statements are written in the source; only the lengths of their lists vary.
  private let capacity = 1_000

  func names(of statement: Statement, _ text: String) -> ColumnNames {
    let names = statement.columnNames
    // The statement has the last word.
    if let found = known.withLock({ $0[text] }), found.names == names { return found }
    let made = ColumnNames(names)
    known.withLock { known in
      if known.count >= capacity { known.removeAll() }
      known[text] = made
    }
    return made
  }
}
