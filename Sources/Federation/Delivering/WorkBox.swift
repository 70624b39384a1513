import Primitives
import Synchronization

/// Where finished work is laid down and whoever waits for it is woken: many hands put, one takes all there is.
///
/// Taking everything at once is what lets many deliveries share one commit.
final class WorkBox<Item: Sendable>: Sendable {
  private let items = Mutex<[Item]>([])
  private let continuation: AsyncStream<Void>.Continuation
  /// One tick for any number of puts and wakes.
  let ticks: AsyncStream<Void>

  init() {
    (ticks, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  }

  func put(_ item: Item) {
    items.withLock { $0.append(item) }
    continuation.yield()
  }

  func wake() { continuation.yield() }

  func take() -> [Item] {
    items.withLock { items in
      defer { items = [] }
      return items
    }
  }

  func close() { continuation.finish() }
}
