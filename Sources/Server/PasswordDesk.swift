import NIOPosix
import Signatures
import Synchronization

/// Compares and makes password hashes on a thread of its own, one after the other: scrypt takes 128 MiB and a quarter
/// of a second. Those who can not be served within seconds are sent away at once.
package final class PasswordDesk: Sendable {
  /// So many wait already that a quarter of a second each is longer than anybody waits.
  package struct Full: Error, Hashable, Sendable {
    /// Seconds.
    package let retryAfter: Int
  }

  /// Those being served or waiting.
  package var waitingNow: Int { waiting.withLock { $0 } }

  private let threads = NIOThreadPool(numberOfThreads: 1)
  private let waiting = Mutex(0)
  private let capacity: Int

  package init(capacity: Int = 20) {
    self.capacity = capacity
    threads.start()
  }

  package func matches(_ password: String, _ hash: PasswordHash?) async throws(Full) -> Bool {
    try await perform { hash?.matches(password) ?? false } ?? false
  }

  /// Nil when the password can not be hashed.
  package func hash(_ make: @escaping @Sendable () -> PasswordHash?) async throws(Full) -> PasswordHash? {
    try await perform(make) ?? nil
  }

  /// Nil when the desk was closed meanwhile.
  package func perform<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async throws(Full) -> Value? {
    let isFull = waiting.withLock { waiting in
      if waiting >= capacity { return true }
      waiting += 1
      return false
    }
    if isFull { throw Full(retryAfter: max(1, capacity / 4)) }
    defer { waiting.withLock { $0 -= 1 } }
    do { return try await threads.runIfActive(work) } catch { return nil }
  }

  package func close() async throws { try await threads.shutdownGracefully() }
}
