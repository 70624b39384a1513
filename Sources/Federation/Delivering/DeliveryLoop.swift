import Logging
import Model
import Persistence
import Primitives
import Store

/// Carries stored activities to other servers until its task is cancelled.
///
/// Leases in batches, sends with bounded concurrency, and records outcomes and takes new work in one commit. Wakes when
/// something was queued, when something is finished, or when the next retry is due; never polls.
package struct DeliveryLoop: Sendable {
  package struct Configuration: Hashable, Sendable {
    package var width = 64
    package var perHost = 2
    package init() {}
  }

  private let environment: FederationEnvironment
  private let signals: SignalCenter
  private let configuration: Configuration
  private let sending: DeliverySending

  package init(
    environment: FederationEnvironment, signals: SignalCenter, configuration: Configuration = Configuration()
  ) {
    self.environment = environment
    self.signals = signals
    self.configuration = configuration
    sending = DeliverySending(environment)
  }

  package func run() async {
    let box = WorkBox<FinishedDelivery>()
    // Discarding, since a group that keeps its children's results grows for as long as the server runs.
    let unrecorded = await withDiscardingTaskGroup { group in
      group.addTask {
        for await _ in signals.subscribe(to: [.deliveries]) { box.wake() }
        box.close()
      }
      var state = State()
      box.wake()
      for await _ in box.ticks {
        await step(&state, box, &group)
        if Task.isCancelled { break }
      }
      group.cancelAll()
      return state.unrecorded
    }
    await settle(unrecorded + box.take())
  }

  private struct State {
    var hosts: [String: Int] = [:]
    var inFlight = 0
    /// Outcomes whose write failed for now.
    var unrecorded: [FinishedDelivery] = []
    /// When the timer that runs will wake us.
    var timer: Timestamp?

    mutating func enter(_ host: Host) {
      inFlight += 1
      hosts[host.text, default: 0] += 1
    }

    mutating func leave(_ host: Host) {
      inFlight -= 1
      let rest = (hosts[host.text] ?? 1) - 1
      hosts[host.text] = rest > 0 ? rest : nil
    }
  }

  private struct Taken: Sendable {
    var deliveries: [Delivery]
    var peers: [Host: Peer]
    /// When to look again, if nothing happens before; nil when everything there was has been taken.
    var next: Timestamp?
  }

  private func step(
    _ state: inout State, _ box: WorkBox<FinishedDelivery>, _ group: inout DiscardingTaskGroup
  ) async {
    let finished = box.take()
    for item in finished { state.leave(item.delivery.inbox.host) }
    state.unrecorded += finished
    let room = configuration.width - state.inFlight
    // A lease costs a query over what is due: worth it for some, or when there is nothing else to do.
    let wanted = room >= configuration.width / 16 || state.inFlight == 0 ? room : 0
    guard wanted > 0 || !state.unrecorded.isEmpty else { return }
    do {
      guard try await hasWork(&state, box, &group) else { return }
      let taken = try await exchange(state.unrecorded, take: wanted, busy: Array(state.hosts.keys))
      state.unrecorded = []
      for delivery in taken.deliveries {
        let scheme = taken.peers[delivery.inbox.host]?.scheme(at: environment.time.now())
        state.enter(delivery.inbox.host)
        group.addTask { await carry(delivery, scheme, to: box) }
      }
      if let next = taken.next { wait(until: next, &state, box, &group) }
    } catch {
      environment.log.error("deliveries could not be recorded", metadata: ["reason": "\(error)"])
      wait(until: environment.time.now().adding(.seconds(5)), &state, box, &group)
    }
  }

  /// A look costs no commit, and most signals are about somebody else's delivery.
  private func hasWork(
    _ state: inout State, _ box: WorkBox<FinishedDelivery>, _ group: inout DiscardingTaskGroup
  ) async throws -> Bool {
    guard state.unrecorded.isEmpty else { return true }
    guard let next = try await environment.database.read({ try $0.nextDelivery() }) else { return false }
    if next <= environment.time.now() { return true }
    wait(until: next, &state, box, &group)
    return false
  }

  /// One commit for what has ended and what begins.
  private func exchange(_ finished: [FinishedDelivery], take room: Int, busy: [String]) async throws -> Taken {
    let now = environment.time.now()
    let ids = environment.ids
    let perHost = configuration.perHost
    return try await environment.database.write { tx in
      if !finished.isEmpty { try tx.record(finished, ids: ids) }
      guard room > 0 else { return Taken(deliveries: [], peers: [:], next: nil) }
      let deliveries = try tx.leaseDeliveries(
        at: now, until: now.adding(Limits.deliveryLease), limit: room, perHost: perHost, busy: busy)
      let next = deliveries.isEmpty ? try tx.nextDelivery() : nil
      return Taken(deliveries: deliveries, peers: try tx.peers(deliveries.map(\.inbox.host)), next: next)
    }
  }

  private func carry(_ delivery: Delivery, _ scheme: Peer.Scheme?, to box: WorkBox<FinishedDelivery>) async {
    let result = await sending.send(delivery, knownScheme: scheme)
    box.put(
      FinishedDelivery(
        delivery: delivery, outcome: result.outcome, accepted: result.accepted, at: environment.time.now(),
        jitter: environment.random.unit() * 2 - 1))
  }

  /// What is due and still not taken waits for its host, so looking at once would be polling.
  private func wait(
    until next: Timestamp, _ state: inout State, _ box: WorkBox<FinishedDelivery>, _ group: inout DiscardingTaskGroup
  ) {
    let now = environment.time.now()
    let delay = min(.seconds(60), max(.seconds(2), next.since(now)))
    let due = now.adding(delay)
    if let timer = state.timer, timer > now, timer <= due { return }
    state.timer = due
    group.addTask {
      do { try await Task.sleep(for: delay) } catch { return box.close() }
      box.wake()
    }
  }

  /// Last words on the way out: attempts that were cut off are given back, those that ended are recorded.
  private func settle(_ finished: [FinishedDelivery]) async {
    guard !finished.isEmpty else { return }
    let ids = environment.ids
    do {
      try await environment.database.write { try $0.record(finished, ids: ids) }
    } catch {
      environment.log.error("deliveries could not be given back", metadata: ["reason": "\(error)"])
    }
  }
}
