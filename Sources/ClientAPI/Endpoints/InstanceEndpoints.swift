import HTTPSupport
import Hummingbird
import Model
import Persistence
import Primitives
import Store

extension ClientAPI {
  /// The person to write to: the first of the staff, if there is one.
  private func contact(_ tx: any ReadTransaction) throws -> JSON {
    guard let account = try tx.staff().first else { return .null }
    return entities.account(account, counts: try tx.counts(of: [account.id])[account.id])
  }

  @Sendable func instanceV1(_ call: Call) async throws -> Response {
    try await database.read { [self] tx in
      entities.instanceV1(facts, counts: try tx.instanceCounts(), contact: try contact(tx))
    }.response
  }

  @Sendable func instanceV2(_ call: Call) async throws -> Response {
    try await database.read { [self] tx in
      entities.instanceV2(facts, users: try tx.instanceCounts().users, contact: try contact(tx))
    }.response
  }

  /// For what this server does not have: some clients do not start on a 404 here.
  @Sendable func emptyList(_ call: Call) async throws -> Response { .json([]) }

  @Sendable func preferences(_ call: Call) async throws -> Response {
    .json([
      "posting:default:visibility": "public", "posting:default:sensitive": false, "posting:default:language": .null,
      "reading:expand:media": "default", "reading:expand:spoilers": false, "reading:autoplay:gifs": false,
    ])
  }

  @Sendable func markers(_ call: Call) async throws -> Response { .json([:]) }
}

extension JSON {
  var response: Response { .json(self) }
}
