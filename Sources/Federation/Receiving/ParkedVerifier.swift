import ActivityStreams
import Foundation
import Model
import Persistence
import Primitives
import Signatures
import Store

/// The form of a parked request in its row.
private struct ParkedHead: Codable {
  var method: String
  var target: String
  var scheme: String
  var authorities: [Primitives.Host]
  var fields: [[String]]

  init(_ request: InboxRequest) {
    method = request.method
    target = request.target
    scheme = request.scheme
    authorities = request.authorities
    fields = request.fields.all.map { [$0.name, $0.value] }
  }

  /// The sender's address is not kept: what is parked asks on its own account.
  func request(_ body: [UInt8]) -> InboxRequest {
    let pairs = fields.compactMap { pair -> (String, String)? in
      guard pair.count == 2, let name = pair.first, let value = pair.last else { return nil }
      return (name, value)
    }
    return InboxRequest(
      method: method, target: target, scheme: scheme, authorities: authorities, fields: HeaderFields(pairs), body: body)
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
      let head = String(decoding: try JSONEncoder().encode(ParkedHead(request)), as: UTF8.self)
      let parked = ParkedRequest(
        id: id, keyHost: keyHost, request: head, body: request.body, receivedAt: now, attempt: 0)
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
    do {
      return try JSONDecoder().decode(ParkedHead.self, from: Data(parked.request.utf8)).request(parked.body)
    } catch { return nil }
  }
}
