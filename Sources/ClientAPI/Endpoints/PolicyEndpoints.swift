import HTTPSupport
import Hummingbird
import Model
import Persistence
import Policy
import Primitives
import Store

// Our own addition: what an artist has said to machines so far, and which servers answered.
extension ClientAPI {
  var policyRoutes: [Route] {
    [
      Route(.get, "/api/atelier/v1/policies", .scope("read:accounts"), policyLedger),
      Route(.get, "/api/atelier/v1/policies/:id/receipts", .scope("read:accounts"), policyReceipts),
    ]
  }

  /// Own versions, newest first, each with the number of servers that accepted or rejected it.
  @Sendable func policyLedger(_ call: Call) async throws -> Response {
    let artist = try call.member()
    return try await database.read { tx in
      let versions = try tx.policyVersions(of: artist.id, limit: Limits.listedPolicyVersions)
      let counts = try tx.receiptCounts(of: artist.id)
      return JSON.members([
        "held_by": .number(try tx.holders(of: artist.id)),
        "policies": .array(
          versions.map { version in
            let answers = counts[version.number] ?? ReceiptCounts()
            return [
              "number": .number(version.number), "stated_at": .string(version.statedAt.iso8601),
              "policy": version.policy.wire, "accepted": .number(answers.accepted),
              "rejected": .number(answers.rejected),
            ]
          }),
      ])
    }.response
  }

  /// What each server answered to one version.
  @Sendable func policyReceipts(_ call: Call) async throws -> Response {
    let artist = try call.member()
    guard let text = call.context.parameters.get("id"), text.utf8.count <= 9, let number = Int(text) else {
      throw Problem.notFound
    }
    return try await database.read { tx in
      guard try tx.policyVersion(number, of: artist.id) != nil else { throw Problem.notFound }
      return JSON.array(
        try tx.receipts(of: artist.id, number: number, limit: Limits.listedReceipts).map { receipt in
          [
            "server": .string(receipt.host.text), "actor": .string(receipt.actor.text),
            "answer": receipt.isAccepted ? "accepted" : "rejected",
            "received_at": .string(receipt.receivedAt.iso8601),
          ]
        })
    }.response
  }
}

extension Limits {
  package static let listedPolicyVersions = 100
  package static let listedReceipts = 1_000
}
