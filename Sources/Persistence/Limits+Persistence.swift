import Primitives

extension Limits {
  /// Write closures that share one commit. Reliability rule 1: up to 64 requests a sync.
  package static let writesPerCommit = 64
  /// How long a connection waits for a lock that another process holds (a backup tool, an administrator's shell).
  package static let databaseBusy = Duration.seconds(5)
  package static let databaseReaders = 4
  /// The log is cut back to this after a checkpoint.
  package static let databaseLogBytes = 64 << 20
}
