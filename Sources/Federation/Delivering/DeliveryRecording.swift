import Model
import Persistence
import Primitives
import Store
import Transport

/// An attempt that has ended, on its way into the rows.
struct FinishedDelivery: Sendable {
  let delivery: Delivery
  let outcome: DeliveryOutcome
  let accepted: Peer.Scheme?
  let at: Timestamp
  /// In -1...1.
  let jitter: Double
}

extension WriteTransaction {
  /// Writes what follows from several attempts. Rows of peers are written only when something about them changed.
  func record(_ finished: [FinishedDelivery], ids: SnowflakeGenerator) throws {
    let known = try peers(finished.map(\.delivery.inbox.host))
    var changed = known
    for item in finished {
      let host = item.delivery.inbox.host
      var peer = changed[host] ?? Peer(host: host)
      try record(item, peer: &peer, ids: ids)
      changed[host] = peer
    }
    for (host, peer) in changed where peer != known[host] { try save(peer) }
  }

  private func record(_ item: FinishedDelivery, peer: inout Peer, ids: SnowflakeGenerator) throws {
    let delivery = item.delivery
    let wasOpen = peer.openUntil != nil
    var machine = DeliveryMachine(
      breaker: CircuitBreaker(peer), failingDays: peer.failingDays, lastFailure: peer.lastFailureAt,
      isForwarded: delivery.isForwarded)
    let action = machine.record(
      item.outcome, attempt: delivery.attempt, age: item.at.since(delivery.createdAt), at: item.at,
      jitter: item.jitter)
    let failed = machine.breaker.failures > peer.failures
    peer.failures = machine.breaker.failures
    peer.openUntil = machine.breaker.openUntil
    peer.failingDays = machine.failingDays
    peer.note(item, failed: failed)
    let status = item.outcome.status
    let error = item.outcome.error
    switch action {
    case .finish: try finish(delivery.id, as: .delivered, status: status, error: nil)
    case .abandon(.expired): try finish(delivery.id, as: .expired, status: status, error: error)
    case .abandon(.refused): try finish(delivery.id, as: .abandoned, status: status, error: error)
    case .abandon(.gone):
      try finish(delivery.id, as: .abandoned, status: status, error: error)
      try leave(delivery.inbox, at: item.at, ids: ids)
    case .retry(let next): try retry(delivery.id, at: next, status: status, error: error)
    case .openCircuit(let end):
      try retry(delivery.id, at: end, status: status, error: error)
      try parkDeliveries(to: peer.host, until: peer.openUntil ?? end)
    case .giveBack: try park(delivery.id, until: item.at)
    }
    if wasOpen, peer.openUntil == nil { try wakeDeliveries(to: peer.host, at: item.at) }
  }

  /// 410 at somebody's own inbox: they follow nobody here any more, and their document says the rest.
  private func leave(_ inbox: IRI, at time: Timestamp, ids: SnowflakeGenerator) throws {
    for account in try accounts(behind: inbox) where !account.isLocal {
      for follow in try follows(by: account.id) { try delete(follow) }
      try enqueue(.refreshActor(account.id), id: ids.next(), at: time, dedup: "refresh \(account.id)")
    }
  }
}

extension Peer {
  /// Remembers the scheme that worked, and successes to the hour: 500 deliveries are not 500 rows to write.
  mutating func note(_ item: FinishedDelivery, failed: Bool) {
    if failed { lastFailureAt = item.at }
    if let accepted = item.accepted {
      if accepted == .rfc9421, scheme != .rfc9421 {
        scheme = .rfc9421
        schemeAt = item.at
      } else if accepted == .cavage, scheme == .rfc9421 {
        scheme = nil
        schemeAt = nil
      }
      if lastSuccessAt.map({ item.at.since($0) >= Limits.peerFreshness }) ?? true { lastSuccessAt = item.at }
    }
  }

  /// The scheme to begin with; a memory of a month ago is none.
  func scheme(at now: Timestamp) -> Scheme? {
    guard let scheme, let schemeAt, now.since(schemeAt) < Limits.peerSchemeMemory else { return nil }
    return scheme
  }
}
