import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Persistence
import Policy
import Primitives
import Store

private struct LedgerPage {
  struct Version {
    let number: Int
    let date: String
    let policy: PolicyWords
    let answers: String
    let servers: [Server]
    let hasServers: Bool
    let offer: String
  }
  struct Server {
    let name: String
    let answer: String
    let date: String
  }
  let held: String
  let versions: [Version]
  let isEmpty: Bool
}

extension WebFace {
  /// What an artist has said to machines so far, and which servers answered what.
  @Sendable func policyLedger(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let artist = bearer.account
    let (versions, counts, receipts, held) = try await database.read { tx in
      let versions = try tx.policyVersions(of: artist.id, limit: Limits.ledgerVersions)
      let receipts = try versions.map {
        try tx.receipts(of: artist.id, number: $0.number, limit: Limits.ledgerServers)
      }
      return (versions, try tx.receiptCounts(of: artist.id), receipts, try tx.holders(of: artist.id))
    }
    let shown = zip(versions, receipts).map { version, receipts in
      LedgerPage.Version(
        number: version.number, date: dayInWords(version.statedAt), policy: PolicyWords(version.policy),
        answers: WebFace.inWords(counts[version.number] ?? ReceiptCounts()),
        servers: receipts.map {
          .init(
            name: $0.host.text, answer: $0.isAccepted ? "honours it" : "does not honour it",
            date: dayInWords($0.receivedAt))
        }, hasServers: !receipts.isEmpty,
        offer: version.policy.id.map { instance.odrl($0).pathAndQuery } ?? "")
    }
    let policy = effectivePolicy(of: artist, on: instance)
    let model = LedgerPage(
      held: held == 1 ? "1 other server is known to hold" : "\(held) other servers are known to hold",
      versions: shown, isEmpty: shown.isEmpty)
    let frame = frame("What I have said to machines", context, policy: policy, isListed: false)
    return try page("ledger", model, frame, request, context, policy: policy, isPrivate: true)
  }

  static func inWords(_ counts: ReceiptCounts) -> String {
    func servers(_ count: Int) -> String { count == 1 ? "1 server" : "\(count) servers" }
    if counts.accepted == 0, counts.rejected == 0 { return "No server has answered." }
    let accepted = "\(servers(counts.accepted)) accepted this"
    return counts.rejected == 0 ? "\(accepted)." : "\(accepted), \(counts.rejected) will not honour it."
  }
}

extension Limits {
  static let ledgerVersions = 20
  static let ledgerServers = 200
}
