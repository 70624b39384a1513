import Synchronization

/// A word that says "look again": something of this kind was committed. Carries no data, so it may be merged with
/// its equals and is never trusted for more than waking up.
package struct Signal: RawRepresentable, Hashable, Sendable {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
}

/// Passes signals from committed writes to whoever waits for work or holds a stream open.
package final class SignalCenter: Sendable {
  private struct State {
    var nextNumber = 0
    var mailboxes: [Int: Mailbox] = [:]
    var listeners: [Signal: Set<Int>] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  package func send(_ signal: Signal) {
    let mailboxes = state.withLock { state in
      (state.listeners[signal] ?? []).compactMap { state.mailboxes[$0] }
    }
    for mailbox in mailboxes { mailbox.put(signal) }
  }

  /// Every one of `signals` sent from now on, merged while nobody is looking: at most one of each waits, so a slow
  /// reader costs a set, not a queue. Ends when the reader's task is cancelled or the sequence is dropped.
  package func subscribe(to signals: Set<Signal>) -> SignalSequence {
    let (ticks, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let mailbox = Mailbox(continuation)
    let number = state.withLock { state in
      state.nextNumber += 1
      state.mailboxes[state.nextNumber] = mailbox
      for signal in signals { state.listeners[signal, default: []].insert(state.nextNumber) }
      return state.nextNumber
    }
    continuation.onTermination = { [weak self] _ in self?.remove(number, signals) }
    return SignalSequence(ticks: ticks, mailbox: mailbox)
  }

  /// Subscriptions that are alive, for metrics and leak tests.
  package var subscriptionCount: Int { state.withLock { $0.mailboxes.count } }

  private func remove(_ number: Int, _ signals: Set<Signal>) {
    state.withLock { state in
      state.mailboxes[number] = nil
      for signal in signals {
        state.listeners[signal]?.remove(number)
        if state.listeners[signal]?.isEmpty == true { state.listeners[signal] = nil }
      }
    }
  }
}

/// The signals of one subscription: each element is what was sent since the last one, never empty.
package struct SignalSequence: AsyncSequence, Sendable {
  fileprivate let ticks: AsyncStream<Void>
  fileprivate let mailbox: Mailbox

  package struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate var ticks: AsyncStream<Void>.Iterator
    fileprivate let mailbox: Mailbox

    package mutating func next() async -> Set<Signal>? {
      while await ticks.next() != nil {
        let signals = mailbox.take()
        if !signals.isEmpty { return signals }
      }
      return nil
    }
  }

  package func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(ticks: ticks.makeAsyncIterator(), mailbox: mailbox)
  }
}

private final class Mailbox: Sendable {
  private let waiting = Mutex<Set<Signal>>([])
  private let continuation: AsyncStream<Void>.Continuation

  init(_ continuation: AsyncStream<Void>.Continuation) { self.continuation = continuation }

  func put(_ signal: Signal) {
    waiting.withLock { _ = $0.insert(signal) }
    continuation.yield()
  }

  func take() -> Set<Signal> {
    waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
  }
}
