import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  @Sendable func follow(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, context in _ = try tx.follow(target, by: viewer, in: context) }
  }

  @Sendable func unfollow(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, context in try tx.unfollow(target, by: viewer, in: context) }
  }

  @Sendable func removeFollower(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, context in
      guard try tx.follow(of: viewer.id, by: target.id) != nil else { return }
      try tx.rejectFollow(by: target, to: viewer, in: context)
    }
  }

  @Sendable func block(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, context in
      guard target.id != viewer.id else {
        throw OperationFailure(.invalid, "block.self", "You can not block yourself.")
      }
      try tx.block(target, by: viewer, in: context)
    }
  }

  @Sendable func unblock(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, _ in try tx.unblock(target, by: viewer) }
  }

  @Sendable func authorizeFollow(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, context in
      try tx.acceptFollow(by: target, to: viewer, in: context)
    }
  }

  @Sendable func rejectFollow(_ call: Call) async throws -> Response {
    try await relate(call) { tx, target, viewer, context in
      try tx.rejectFollow(by: target, to: viewer, in: context)
    }
  }

  func relate(
    _ call: Call,
    _ change: @escaping @Sendable (any WriteTransaction, Account, Account, OperationContext) throws -> Void
  ) async throws -> Response {
    let viewer = try call.member()
    let id: Account.ID = try call.id()
    let context = context
    return try await database.write { [self] tx in
      try change(tx, try tx.shownAccount(id), viewer, context)
      guard let now = try tx.relationships(of: viewer.id, to: [id]).first else { throw Problem.notFound }
      return entities.relationship(now)
    }.response
  }
}
