import Primitives
import Synchronization
import Transport

/// Names map to public-looking addresses; the dialler leads those to loopback ports, after the address policy has
/// ruled. So the real policy is under test, and nothing leaves this machine.
package final class FakeInternet: AddressResolver, Dialer {
  private struct State {
    var names: [String: [[Address]]] = [:]
    var ports: [Address: Int] = [:]
    var egress: [Egress] = []
  }

  private let state = Mutex(State())

  package init() {}

  package var egress: [Egress] { state.withLock { $0.egress } }
  package var lookups: Int { egress.count { if case .lookup = $0 { true } else { false } } }
  /// Requests sent to anybody.
  package var sent: Int { egress.count { if case .request = $0 { true } else { false } } }
  package var connections: Int { egress.count { if case .connection = $0 { true } else { false } } }

  /// Each lookup gets the next of `answers`; the last one stays.
  package func name(_ name: String, _ answers: [String]...) { self.name(name, answers: answers) }

  package func name(_ name: String, answers: [[String]]) {
    state.withLock { $0.names[name] = answers.map { $0.compactMap { Address($0) } } }
  }

  package func lead(_ address: String, to port: Int) {
    guard let address = Address(address) else { return }
    state.withLock { $0.ports[address] = port }
  }

  package func note(_ egress: Egress) { state.withLock { $0.egress.append(egress) } }

  package func addresses(of name: String, within timeout: Duration) async throws(TransportFailure) -> [Address] {
    let answer = state.withLock { state -> [Address]? in
      guard var answers = state.names[name], let first = answers.first else { return nil }
      if answers.count > 1 { answers.removeFirst() }
      state.names[name] = answers
      return first
    }
    guard let answer else { throw .resolution(.notFound) }
    return answer
  }

  package func destination(for endpoint: Endpoint) -> Endpoint {
    let port = state.withLock { $0.ports[endpoint.address] }
    // A blocked loopback port stands for an address where nobody listens.
    return Endpoint(address: .v4(0x7f00_0001), port: port ?? 1)
  }
}

/// A clock that stands still until a test moves it.
package final class TestClock: Sendable {
  private let time: Mutex<Timestamp>

  package init(_ start: Timestamp) { time = Mutex(start) }

  package var now: Timestamp { time.withLock { $0 } }
  package var source: TimeSource { TimeSource { [self] in now } }
  package func advance(by duration: Duration) { time.withLock { $0 = $0.adding(duration) } }
}

/// Bytes that look random and are the same in every run.
package func seededBytes(_ seed: UInt64) -> RandomBytes {
  let state = SeededState(seed)
  return RandomBytes { count in (0..<count).map { _ in state.next() } }
}

private final class SeededState: Sendable {
  private let state: Mutex<UInt64>
  init(_ seed: UInt64) { state = Mutex(seed) }

  /// SplitMix64.
  func next() -> UInt8 {
    state.withLock { state in
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return UInt8(truncatingIfNeeded: word ^ (word >> 31))
    }
  }
}
