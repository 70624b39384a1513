import Federation
import Model
import Primitives
import Store
import Testing
import Transport

/// A seeded generator: a failing case is repeated by its seed.
struct Lots {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func below(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(max(1, bound)))
  }

  /// In -1...1.
  mutating func jitter() -> Double { Double(below(2_001) - 1_000) / 1_000 }
}

private let noon = Timestamp(secondsSince1970: 1_793_728_802)

@Suite struct `Delivery plans` {
  private func recipients(_ lots: inout Lots) -> [Recipient] {
    (0..<lots.below(60)).compactMap { _ in
      let host = ["a.test", "b.test", "sub.evil.test", "evil.test", "atelier.test", "c.test:8443"][lots.below(6)]
      guard let inbox = IRI("https://\(host)/u/\(lots.below(9))/inbox") else { return nil }
      let shared = [nil, IRI("https://\(host)/inbox"), IRI("https://other.test/inbox")][lots.below(3)]
      return Recipient(inbox: inbox, sharedInbox: shared, isMentioned: lots.below(4) == 0)
    }
  }

  private let own = Host("atelier.test")

  @Test(arguments: UInt64(1)...200)
  func `every recipient is reached through exactly one inbox, none of our own and none blocked`(seed: UInt64) throws {
    var lots = Lots(seed)
    let people = recipients(&lots)
    let own = try #require(own)
    let plan = DeliveryPlan(people, ownHost: own, blocked: ["evil.test"])
    #expect(Set(plan.inboxes).count == plan.inboxes.count)
    for person in people {
      let doors = [person.inbox, person.sharedInbox].compactMap { $0 }.filter(plan.inboxes.contains)
      let isReachable = person.inbox.host != own && !person.inbox.host.name.hasSuffix("evil.test")
      // Beside the person's own, the plan may hold a door that others of the host asked for.
      #expect(isReachable == !doors.isEmpty)
      if isReachable, let shared = person.sharedInbox, shared.hasSameOrigin(as: person.inbox) {
        #expect(plan.inboxes.contains(shared))
      }
    }
    for inbox in plan.inboxes {
      #expect(inbox.host != own)
      #expect(!DeliveryPlan.isBlocked(inbox.host, by: ["evil.test"]))
      #expect(people.contains { $0.inbox == inbox || ($0.sharedInbox == inbox && inbox.hasSameOrigin(as: $0.inbox)) })
    }
  }

  @Test(arguments: UInt64(1)...100)
  func `the order of recipients changes nothing, and mentioned people come first`(seed: UInt64) throws {
    var lots = Lots(seed)
    let people = recipients(&lots)
    let own = try #require(own)
    let plan = DeliveryPlan(people, ownHost: own, blocked: [])
    var shuffled = people
    for index in shuffled.indices.reversed() { shuffled.swapAt(index, lots.below(index + 1)) }
    #expect(DeliveryPlan(shuffled + people, ownHost: own, blocked: []) == plan)
    let mentioned = DeliveryPlan(people.filter(\.isMentioned), ownHost: own, blocked: [])
    #expect(Array(plan.inboxes.prefix(mentioned.inboxes.count)) == mentioned.inboxes)
  }

  @Test func `D10 500 followers on one host with a shared inbox are one delivery`() throws {
    let own = try #require(own)
    let people = try (0..<500).map { number in
      Recipient(
        inbox: try #require(IRI("https://big.test/u/\(number)/inbox")), sharedInbox: IRI("https://big.test/inbox"))
    }
    #expect(DeliveryPlan(people, ownHost: own, blocked: []).inboxes.map(\.text) == ["https://big.test/inbox"])
  }

  @Test func `a shared inbox on another host is not believed`() throws {
    let own = try #require(own)
    let person = Recipient(
      inbox: try #require(IRI("https://a.test/u/1/inbox")), sharedInbox: IRI("https://thief.test/inbox"))
    #expect(DeliveryPlan([person], ownHost: own, blocked: []).inboxes == [person.inbox])
  }
}

@Suite struct `Retry schedules` {
  @Test func `D9 delays never decrease without jitter and end at twelve hours`() {
    let delays = (1...60).map { RetrySchedule.delay(after: $0) }
    #expect(zip(delays, delays.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(delays.prefix(7).map(\.components.seconds) == [60, 300, 900, 3_600, 10_800, 21_600, 43_200])
    #expect(delays.last == .seconds(43_200))
  }

  @Test(arguments: UInt64(1)...200)
  func `jitter moves a delay by at most a quarter`(seed: UInt64) {
    var lots = Lots(seed)
    let attempt = lots.below(40) + 1
    let wait = RetrySchedule.next(after: attempt, at: noon, jitter: lots.jitter()).since(noon)
    let delay = RetrySchedule.delay(after: attempt)
    #expect(wait >= delay * 0.749 && wait <= delay * 1.251)
  }

  @Test func `what a peer asks for is kept, within a minute and twelve hours`() {
    func wait(_ asked: Duration, jitter: Double = 0) -> Duration {
      RetrySchedule.next(after: 1, at: noon, jitter: jitter, retryAfter: asked).since(noon)
    }
    #expect(wait(.seconds(600)) == .seconds(600))
    #expect(wait(.seconds(600), jitter: -1) >= .seconds(600))
    #expect(wait(.seconds(0)) == .seconds(60))
    #expect(wait(.seconds(10_000_000)) == .seconds(43_200))
    #expect(wait(.seconds(600), jitter: .nan) == .seconds(600))
  }
}

@Suite struct `Circuit breakers` {
  @Test func `D9 ten failures in a row open, nine do not`() {
    var breaker = CircuitBreaker()
    for _ in 1...9 { #expect(breaker.fail(at: noon) == nil) }
    #expect(breaker.state(at: noon) == .closed)
    #expect(breaker.fail(at: noon) == noon.adding(.seconds(60)))
    #expect(breaker.admitted(of: 2, at: noon) == 0)
  }

  @Test func `after the rest exactly one is admitted, and its success closes`() {
    var breaker = CircuitBreaker()
    for _ in 1...10 { _ = breaker.fail(at: noon) }
    let later = noon.adding(.seconds(60))
    #expect(breaker.state(at: later) == .halfOpen)
    #expect(breaker.admitted(of: 2, at: later) == 1)
    var failed = breaker
    let end = failed.fail(at: later)
    #expect(end == later.adding(.seconds(120)))
    breaker.succeed()
    #expect(breaker == CircuitBreaker())
  }

  @Test func `failures of deliveries that were under way lengthen nothing`() {
    var breaker = CircuitBreaker()
    for _ in 1...10 { _ = breaker.fail(at: noon) }
    let open = breaker
    for _ in 1...50 { #expect(breaker.fail(at: noon.adding(.seconds(1))) == nil) }
    #expect(breaker == open)
  }

  @Test func `the rest grows to six hours and no further`() {
    let rests = (10...200).map { CircuitBreaker.rest(after: $0) }
    #expect(zip(rests, rests.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(rests.last == .seconds(21_600))
    #expect(CircuitBreaker.rest(after: .max) == .seconds(21_600))
  }
}

@Suite struct `Delivery machines` {
  private func act(
    _ outcome: DeliveryOutcome, attempt: Int = 1, age: Duration = .zero, breaker: CircuitBreaker = CircuitBreaker()
  ) -> (DeliveryAction, CircuitBreaker) {
    var machine = DeliveryMachine(breaker: breaker)
    let action = machine.record(outcome, attempt: attempt, age: age, at: noon, jitter: 0)
    return (action, machine.breaker)
  }

  @Test(arguments: 100...599)
  func `a status is final or is tried again as its meaning says`(status: Int) {
    let (action, breaker) = act(.answered(status: status, retryAfter: nil))
    switch status {
    case 200...299: #expect(action == .finish)
    case 410: #expect(action == .abandon(.gone))
    case 401, 408, 425, 429: #expect(action == .retry(at: noon.adding(.seconds(60))))
    case 300...499, 501: #expect(action == .abandon(.refused))
    default: #expect(action == .retry(at: noon.adding(.seconds(60))))
    }
    // Whoever answers 4xx is alive.
    #expect((breaker.failures > 0) == ((500...599).contains(status) && status != 501 || status < 200))
  }

  @Test func `a delivery always ends within fourteen days`() {
    for outcome in [DeliveryOutcome.answered(status: 503, retryAfter: nil), .failed(.connect), .failed(.tls)] {
      var age = Duration.zero
      var attempt = 0
      var machine = DeliveryMachine(breaker: CircuitBreaker())
      var tries = 0
      walk: while true {
        attempt += 1
        tries += 1
        let now = noon.adding(age)
        // A host that speaks now and then; one that is silent for a week is sent nothing more.
        machine = DeliveryMachine(breaker: machine.breaker)
        switch machine.record(outcome, attempt: attempt, age: age, at: now, jitter: 1) {
        case .retry(let next), .openCircuit(let next):
          #expect(next > now)
          age = next.since(noon)
        case .abandon(let reason):
          #expect(reason == .expired)
          break walk
        case .finish, .giveBack:
          Issue.record("a failure is no success")
          break walk
        }
      }
      #expect(age < Limits.delivery)
      #expect((20...60).contains(tries))
    }
  }

  @Test func `the tenth failure in a row rests the host, and no delivery to it is due before`() {
    let tired = CircuitBreaker(failures: 9)
    let (action, breaker) = act(.failed(.connect), breaker: tired)
    #expect(action == .openCircuit(until: noon.adding(.seconds(60))))
    #expect(breaker.openUntil == noon.adding(.seconds(60)))
  }

  @Test func `shutting down burns no attempt, and what we may not dial is not tried again`() {
    #expect(act(.failed(.cancelled)).0 == .giveBack)
    let (action, breaker) = act(.failed(.blocked(.address)))
    #expect(action == .abandon(.refused))
    #expect(breaker == CircuitBreaker())
  }
}
