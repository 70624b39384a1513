import ActivityStreams
import Model
import Operations
import Persistence
import Primitives
import Store

extension Receiver {
  /// An Accept or Reject of one of our policies is a receipt; of anything else it is the answer to a Follow.
  func answer(
    _ actor: IRI, _ object: Reference<ActivityStreams.Follow>, isAccepted: Bool, _ received: ReceivedActivity,
    _ budget: FetchBudget
  ) async throws -> Effect {
    guard let named = environment.instance.policy(named: object.iri) else {
      return answer(actor, object, isAccepted: isAccepted)
    }
    // Shown to the artist as that server's word, so the word has to be its own and stay provable.
    let proof = ProofCheck(keys: keys, budget: budget)
    guard await proof.signer(of: received.document.json, owner: actor, at: received.now) != nil else {
      return { _, _ in .rejected("receipt.no_proof") }
    }
    let server = try await self.actor(actor, budget)
    guard server.kind == .application else { return { _, _ in .rejected("receipt.not_a_server") } }
    return { tx, context in
      guard let artist = try tx.account(username: named.username, host: nil) else { return .rejected("object.unknown") }
      try tx.receiveReceipt(of: named.number, by: artist, from: server, isAccepted: isAccepted, in: context)
      return .done(nil)
    }
  }
}
