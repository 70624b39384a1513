import NIOPosix
import Signatures

/// Compares passwords on a thread of its own, one after the other: scrypt takes 128 MiB and a quarter of a second.
package final class PasswordDesk: Sendable {
  private let threads = NIOThreadPool(numberOfThreads: 1)

  package init() { threads.start() }

  package func matches(_ password: String, _ hash: PasswordHash?) async -> Bool {
    do {
      return try await threads.runIfActive { hash?.matches(password) ?? false }
    } catch {
      return false
    }
  }

  package func close() async throws { try await threads.shutdownGracefully() }
}
