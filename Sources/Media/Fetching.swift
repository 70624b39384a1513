import Forensics
import Logging
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Transport

extension MediaPipeline {
  /// Fetches, looks at and settles a remote picture, and ends the job in the same transaction.
  ///
  /// What can not be fetched now is tried again; after the last attempt, and for what can never be shown, the picture
  /// is marked failed with the reason and the post stays.
  package func fetch(_ id: Attachment.ID, lease: JobLease) async throws {
    let found = try await database.read { tx -> (Attachment, Account, Post?)? in
      guard let attachment = try tx.attachment(id), let owner = try tx.account(attachment.ownerID) else { return nil }
      return (attachment, owner, try attachment.postID.flatMap { try tx.post($0) })
    }
    guard let (attachment, owner, post) = found, attachment.state == .waiting, let url = attachment.remoteURL else {
      return try await finish(lease)
    }
    // What is here is not fetched through the network, and a blocked host is asked for nothing, whoever shows it.
    guard !url.hasSameOrigin(as: instance.base) else { return try await give(up: attachment, "fetch.local", lease) }
    if try await database.read({ try $0.block(of: url.host) != nil }) {
      return try await give(up: attachment, "fetch.blocked_host", lease)
    }
    if try await database.read({ try $0.isRefused(digest: attachment.declaredDigest, url: url) }) {
      return try await give(up: attachment, "media.refused_before", lease)
    }
    do {
      var bytes = try await bytes(at: url)
      // A cache on the way may have held an older file, so other bytes than were signed for are asked for once more.
      if let declared = attachment.declaredDigest, try BlobDigest(of: bytes).asDigest != declared {
        bytes = try await self.bytes(at: url)
      }
      let policy = effectivePolicy(of: owner, post: post, attachment: attachment, on: instance)
      let (picture, _) = try await analyse(
        bytes, declaredType: nil, policy: policy, declaredSourceType: attachment.digitalSourceType,
        keepsOriginal: false)
      try await settle(attachment, picture, lease)
    } catch let failure as TransportFailure {
      try await again(attachment, failure.code, isTransient: failure.isTransient, lease)
    } catch let refusal as MediaRefusal {
      try await again(attachment, refusal.code, isTransient: refusal.isTransient, lease)
    } catch let answer as UnexpectedAnswer {
      try await again(attachment, "fetch.status_\(answer.status)", isTransient: answer.isTransient, lease)
    }
  }

  private func settle(_ attachment: Attachment, _ picture: AnalysedPicture, _ lease: JobLease) async throws {
    let context = context
    let decision = try await database.write { tx -> DecisionRecord? in
      try tx.finish(lease)
      // Its post may have been deleted, or edited without it, while it was on its way.
      guard try tx.attachment(attachment.id) != nil else { return nil }
      return try tx.settle(attachment, as: picture, in: context)
    }
    guard let decision else { return }
    log.info(
      "picture decided",
      metadata: ["post": "\(attachment.postID.map(\.description) ?? "-")", "reason": "\(decision.verdict.rawValue)"])
  }

  /// Decides stored facts again. Bytes that were refused and are welcome now are fetched by a job of their own.
  package func reconsider(_ id: Attachment.ID, lease: JobLease) async throws {
    let context = context
    try await database.write { tx in
      if let attachment = try tx.attachment(id) { try tx.reconsider(attachment, in: context) }
      try tx.finish(lease)
    }
  }

  private struct UnexpectedAnswer: Error {
    let status: Int
    var isTransient: Bool { status >= 500 || [408, 425, 429].contains(status) }
  }

  private func bytes(at url: IRI) async throws -> [UInt8] {
    let request = OutgoingRequest(
      url: url, headers: [HeaderField("accept", "image/jpeg, image/png, image/webp, image/gif")],
      maximumResponse: Limits.upload)
    let response = try await client.get(request)
    guard response.isSuccess else { throw UnexpectedAnswer(status: response.status) }
    return response.body
  }

  /// 1 min, 5 min, 30 min, 2 h, then given up.
  private func again(_ attachment: Attachment, _ reason: String, isTransient: Bool, _ lease: JobLease) async throws {
    let delays: [Duration] = [.seconds(60), .seconds(300), .seconds(1_800), .seconds(7_200)]
    guard isTransient, lease.attempt <= delays.count else { return try await give(up: attachment, reason, lease) }
    let next = time.now().adding(delays[max(0, lease.attempt - 1)])
    try await database.write { try $0.retry(lease, at: next, error: reason) }
  }

  private func give(up attachment: Attachment, _ reason: String, _ lease: JobLease) async throws {
    let context = context
    try await database.write { tx in
      try tx.fail(attachment, reason: reason, in: context)
      try tx.finish(lease)
    }
  }

  private func finish(_ lease: JobLease) async throws { try await database.write { try $0.finish(lease) } }
}
