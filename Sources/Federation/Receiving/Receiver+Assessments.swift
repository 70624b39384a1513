import ActivityStreams
import Model
import Operations
import Persistence
import Primitives
import Store

extension Receiver {
  /// An assessment of a picture, new or changed. It is taken from assessors that ours follows, and from nobody else;
  /// what it may do here is weighed elsewhere.
  func assessment(
    _ json: JSON, by header: Header, isChange: Bool, _ received: ReceivedActivity, _ budget: FetchBudget
  ) async throws -> Effect {
    guard let read = ReadAssessment(json, at: received.now) else {
      return { _, _ in .rejected("assessment.malformed") }
    }
    guard !read.isPublic, !header.addressing.all.contains(where: { $0 == everyone }) else {
      return { _, _ in .rejected("assessment.public") }
    }
    do {
      try Ownership.checkObject(
        id: read.id, attributedTo: read.assessor, actor: header.actor, local: environment.instance.base)
    } catch { throw ReceiveFailure.permanent(error.code) }
    let own = environment.instance.assessor
    let found = try await environment.database.read { tx -> Account? in
      guard let assessor = try tx.account(uri: read.assessor), let us = try tx.account(uri: own),
        try tx.follow(of: assessor.id, by: us.id)?.state == .accepted
      else { return nil }
      return assessor
    }
    guard let assessor = found else { return { _, _ in .rejected("assessor.not_followed") } }
    // It may cost somebody a reputation: it has to be provable whose word it was.
    guard await ProofCheck(keys: keys, budget: budget).signer(of: json, owner: assessor.uri, at: received.now) != nil
    else { return { _, _ in .rejected("assessment.no_proof") } }
    return { tx, context in try Receiver.keep(read, by: assessor, isChange: isChange, tx, context) }
  }

  private static func keep(
    _ read: ReadAssessment, by assessor: Account, isChange: Bool, _ tx: any WriteTransaction,
    _ context: OperationContext
  ) throws -> Settlement {
    let picture: Model.Attachment
    if let known = try tx.peerAssessment(uri: read.id) {
      guard isChange else { return .done("duplicate") }
      guard known.assessorID == assessor.id, let kept = try tx.attachment(known.attachmentID) else {
        return .rejected("owner")
      }
      picture = kept
    } else {
      guard read.endsAt > context.now else { return .rejected("assessment.ended") }
      // The change of one that was never taken in has nothing to undo.
      guard !isChange || read.decision.isAgainst else { return .done("object.unknown") }
      guard let found = try Receiver.picture(of: read, tx, context) else { return .done("object.unknown") }
      picture = found
    }
    // Other bytes were looked at there than are shown here.
    let digests = try tx.digests(of: picture)
    guard digests.contains(read.digest) || (picture.state == .waiting && digests.isEmpty) else {
      return .rejected("assessment.other_bytes")
    }
    try tx.receiveAssessment(
      PeerAssessment(
        id: context.ids.next(), uri: read.id, assessorID: assessor.id, attachmentID: picture.id,
        subjectDigest: read.digest, decision: read.decision, isMeasured: read.isMeasured, appeal: read.appeal,
        document: read.json.bytes, statedAt: read.statedAt, endsAt: read.endsAt, receivedAt: context.now),
      in: context)
    return .done(nil)
  }

  /// The picture it speaks of: in that very post, under that address, ours or from elsewhere.
  private static func picture(
    of read: ReadAssessment, _ tx: any WriteTransaction, _ context: OperationContext
  ) throws -> Model.Attachment? {
    guard let post = try tx.post(uri: read.object), post.visibility.isOpen else { return nil }
    let pictures = try tx.attachments(of: [post.id])[post.id, default: []]
    guard post.isLocal else { return pictures.first { $0.remoteURL == read.subject } }
    let files = try tx.renditions(of: pictures.map(\.id))
    return pictures.first { picture in
      files[picture.id, default: []].contains { context.instance.media($0.fileName) == read.subject }
    }
  }
}
