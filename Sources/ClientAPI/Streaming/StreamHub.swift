import HTTPSupport
import HTTPTypes
import Model
import Primitives
import Store
import Synchronization

/// Everybody who listens now. Memory only: who is not there when something happens asks for it later.
package final class StreamHub: Sendable {
  struct Listener: Sendable {
    var account: Account.ID
    var isModerator: Bool
    var tokenHash: String
    var scopes: Set<String>
    var address: String
    var channels: Set<StreamChannel> = []
    var lines: AsyncStream<StreamLine>.Continuation
    /// Ends the connection even while it is being written to.
    var abort: @Sendable () -> Void
  }

  private struct State {
    var next = 0
    var listeners: [Int: Listener] = [:]
    /// Nil while nobody has listened since the tape was last read.
    var last: StreamEvent.ID?
    var isClosed = false
  }

  private let state = Mutex(State())

  package init() {}

  package var count: Int { state.withLock { $0.listeners.count } }
  var listeners: [Int: Listener] { state.withLock { $0.listeners } }

  /// Where the tape was read up to; nil when it has to be found out.
  var last: StreamEvent.ID? {
    get { state.withLock { $0.last } }
    set { state.withLock { $0.last = newValue } }
  }

  /// Nothing is kept of what happens while nobody listens.
  func forget() { state.withLock { if $0.listeners.isEmpty { $0.last = nil } } }

  func open(
    _ bearer: Bearer, tokenHash: String, address: String, abort: @escaping @Sendable () -> Void
  ) throws -> (number: Int, lines: AsyncStream<StreamLine>) {
    let (lines, continuation) = AsyncStream.makeStream(
      of: StreamLine.self, bufferingPolicy: .bufferingOldest(Limits.streamLines))
    let number = try state.withLock { state in
      let mine = state.listeners.values.count { $0.account == bearer.account.id }
      let beside = state.listeners.values.count { $0.address == address }
      guard !state.isClosed, mine < Limits.streamsPerAccount, beside < Limits.streamsPerAddress else {
        throw Problem(.tooManyRequests, "stream.too_many", "Too many streams are open", retryAfter: 60)
      }
      state.next += 1
      state.listeners[state.next] = Listener(
        account: bearer.account.id, isModerator: bearer.role >= .moderator, tokenHash: tokenHash,
        scopes: bearer.scopes, address: address, lines: continuation, abort: abort)
      return state.next
    }
    return (number, lines)
  }

  /// The connection is gone, or should be: its lines end.
  func close(_ number: Int) {
    let listener = state.withLock { $0.listeners.removeValue(forKey: number) }
    listener?.lines.finish()
  }

  /// False when the token does not reach that far, or more is listened to than one connection may.
  func subscribe(_ number: Int, to channel: StreamChannel) -> Bool {
    state.withLock { state in
      guard let listener = state.listeners[number], listener.channels.count < Limits.channelsPerStream,
        listener.scopes.contains(channel.scope) || listener.scopes.contains("read")
      else { return false }
      state.listeners[number]?.channels.insert(channel)
      return true
    }
  }

  func unsubscribe(_ number: Int, from channel: StreamChannel) {
    state.withLock { _ = $0.listeners[number]?.channels.remove(channel) }
  }

  /// Whoever does not read fast enough is cut off: others must not wait, and memory must not grow.
  func send(_ line: StreamLine, to number: Int) {
    guard let listener = state.withLock({ $0.listeners[number] }) else { return }
    if case .dropped = listener.lines.yield(line) {
      close(number)
      listener.abort()
    }
  }

  package func beat() {
    for number in state.withLock({ Array($0.listeners.keys) }) { send(.beat, to: number) }
  }

  /// The server stops.
  package func closeAll() {
    let numbers = state.withLock { state in
      state.isClosed = true
      return Array(state.listeners.keys)
    }
    for number in numbers { close(number) }
  }
}

extension Limits {
  package static let streamsPerAccount = 32
  package static let streamsPerAddress = 256
  package static let channelsPerStream = 32
  /// Lines that wait for a reader before it is cut off.
  package static let streamLines = 256
  package static let streamEventsAtOnce = 200
  /// Events that stay on the tape for processes that look late.
  package static let streamTape: Int64 = 5_000
}
