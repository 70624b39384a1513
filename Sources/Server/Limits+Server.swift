import Primitives

extension Limits {
  /// Connections at a time; more wait in the kernel's queue.
  static let openConnections = 1_024
}
