import Federation
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store
import Synchronization
import Testing
import Transport

@testable import Federation

/// A server that hands out a nonce with each 401 and takes no other.
private final class NonceGate: Sendable {
  private struct State {
    var handedOut = 0
    var inputs: [String] = []
  }
  private let state = Mutex(State())
  /// How many nonces it hands out before it takes one.
  let patience: Int
  init(patience: Int) { self.patience = patience }
  var inputs: [String] { state.withLock { $0.inputs } }

  func answer(_ input: String?) -> (Int, String?) {
    state.withLock { state in
      state.inputs.append(input ?? "cavage")
      if state.handedOut >= patience, input?.contains("nonce=\"n\(state.handedOut)\"") == true { return (202, nil) }
      state.handedOut += 1
      return (401, #"their=("@method" "@authority");created;nonce="n\#(state.handedOut)""#)
    }
  }

  func whileServing(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
    let router = Router(context: BasicRequestContext.self)
    router.post("**") { request, _ in
      _ = try await request.body.collect(upTo: 1 << 20)
      let (status, challenge) = self.answer(HTTPField.Name("signature-input").flatMap { request.headers[$0] })
      var response = Response(status: .init(code: status))
      if let challenge, let name = HTTPField.Name("Accept-Signature") { response.headers[name] = challenge }
      return response
    }
    try await serving(router, body)
  }
}

@Suite struct `A delivery that is challenged` {
  private func send(to gate: NonceGate) async throws -> DeliverySending.Result {
    let house = try await DeliveringHouse()
    let made = Mutex<DeliverySending.Result?>(nil)
    try await gate.whileServing { port in
      let delivery = Delivery(
        id: house.context.ids.next(), outgoingID: house.context.ids.next(), senderID: house.mika.id,
        inbox: try #require(IRI("http://127.0.0.2:\(port)/inbox")), attempt: 1, createdAt: house.context.now,
        body: Array("{}".utf8))
      let sending = DeliverySending(house.environment)
      let result = await sending.send(delivery, knownScheme: nil)
      await house.environment.client.shutDown()
      made.withLock { $0 = result }
    }
    return try #require(made.withLock { $0 })
  }

  @Test func `D20 H5 signs what it is asked to sign, and is taken at the third request`() async throws {
    let gate = NonceGate(patience: 2)
    let result = try await send(to: gate)
    #expect(result.outcome == .answered(status: 202, retryAfter: nil) && result.accepted == .rfc9421)
    #expect(gate.inputs.count == 3 && gate.inputs.first == "cavage")
    #expect(gate.inputs.last?.hasPrefix(#"their=("@method" "@target-uri" "content-digest" "@authority")"#) == true)
  }

  @Test func `D20 knocks no fourth time, however often a peer asks`() async throws {
    let gate = NonceGate(patience: 99)
    let result = try await send(to: gate)
    #expect(result.outcome == .answered(status: 401, retryAfter: nil) && result.accepted == nil)
    #expect(gate.inputs.count == 3)
  }
}
