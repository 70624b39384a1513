import ActivityStreams
import Model
import Persistence
import Primitives
import Signatures
import Store

/// The form of a parked request in its row: everything but the body, and but the sender's address, since what is parked
/// asks on its own account.
private enum ParkedHead {
  static func json(_ request: InboxRequest) -> JSON {
    [
      "method": .string(request.method), "target": .string(request.target), "scheme": .string(request.scheme),
      "authorities": .array(request.authorities.map { .string($0.text) }),
      "fields": .array(request.fields.all.map { [.string($0.name), .string($0.value)] }),
    ]
  }

  static func request(_ head: JSON, body: [UInt8]) -> InboxRequest? {
    guard let method = head["method"]?.string, let target = head["target"]?.string,
      let scheme = head["scheme"]?.string, let authorities = head["authorities"]?.array,
      let fields = head["fields"]?.array
    else { return nil }
    let pairs = fields.compactMap { field -> (String, String)? in
      guard let name = field.array?.first?.string, let value = field.array?.last?.string else { return nil }
      return (name, value)
    }
    return InboxRequest(
      method: method, target: target, scheme: scheme,
      authorities: authorities.compactMap { $0.string.flatMap { Primitives.Host($0) } }, fields: HeaderFields(pairs),
      body: body)
  }
}

extension InboxGate {
  /// Keeps a request whose key host did not answer, if there is room: some peers drop a delivery after one 503.
  func park(
    _ request: InboxRequest, keyHost: Primitives.Host, otherwise answer: InboxAnswer, at now: Timestamp
  ) async -> InboxAnswer {
    // Anybody may have sent it, so all that is kept together must fit on any disk.
    guard request.body.count <= Limits.parkedBody else { return answer }
    let id: ID<ParkedRequest> = environment.ids.next()
    do {
      let parked = ParkedRequest(
        id: id, keyHost: keyHost, request: ParkedHead.json(request).text, body: request.body, receivedAt: now,
        attempt: 0)
      return try await environment.database.write { tx in
        let count = try tx.parkedCount(of: keyHost)
        guard count.host < Limits.parkedPerHost, count.all < Limits.parkedRequests else { return answer }
        try tx.insert(parked, next: now.adding(ParkedVerifier.delay(after: 0)))
        return .parked
      }
    } catch { return answer }
  }
}

/// Tries parked requests again. Whoever runs the server calls `step` every half minute.
package struct ParkedVerifier: Sendable {
  private let gate: InboxGate

  package init(_ gate: InboxGate) { self.gate = gate }

  /// 5 minutes, so that the cool-off is over, doubling to 8 hours.
  static func delay(after attempt: Int) -> Duration { .seconds(310 << min(max(0, attempt), 6)) }

  /// The number of requests that got their answer, whatever it was.
  package func step() async throws -> Int {
    let environment = gate.environment
    let now = environment.time.now()
    let due = try await environment.database.read { try $0.parkedRequests(dueAt: now, limit: Limits.parkedBatch) }
    var settled = 0
    for parked in due {
      guard let request = ParkedVerifier.request(parked) else {
        try await environment.database.write { try $0.delete(parked) }
        continue
      }
      let answer = await gate.receive(request, signedBefore: parked.receivedAt, isParked: true)
      let waits = answer.status == 503 && parked.attempt + 1 < Limits.parkedAttempts
      let next = now.adding(ParkedVerifier.delay(after: parked.attempt + 1))
      try await environment.database.write { tx in
        if waits { try tx.postpone(parked, to: next) } else { try tx.delete(parked) }
      }
      if !waits { settled += 1 }
    }
    return settled
  }

  private static func request(_ parked: ParkedRequest) -> InboxRequest? {
    do { return ParkedHead.request(try JSON(parsing: parked.request), body: parked.body) } catch { return nil }
  }
}
