import Model
import Persistence
import Policy
import Primitives
import Store

/// What an admin lets the assessments of other servers do, once those that are trusted reach the weight of one.
/// There is no refusal among them: nobody loses a picture because another server's detector was wrong.
package enum AssessmentEffect: String, Hashable, Sendable, CaseIterable {
  case label, hold

  fileprivate static let setting = "assessments.effect"
}

extension ReadTransaction {
  package func assessmentEffect() throws -> AssessmentEffect {
    try setting(AssessmentEffect.setting).flatMap { AssessmentEffect(rawValue: $0) } ?? .label
  }

  /// What trusted assessors ask for together; nil for nothing. One assessor counts once, and only for the very bytes
  /// that are here.
  func peerVerdict(on picture: Attachment, at now: Timestamp) throws -> Verdict? {
    let all = try peerAssessments(on: [picture.id]).filter { assessment in
      assessment.decision.isAgainst && assessment.isMeasured && !assessment.hasEnded && assessment.endsAt > now
    }
    guard !all.isEmpty else { return nil }
    let digests = try digests(of: picture)
    let heard = Set(all.filter { digests.contains($0.subjectDigest) }.map(\.assessorID))
    let weight = try weights(of: heard).values.reduce(0, +)
    // A thousandth less than one, since tenths do not add up to it.
    guard weight >= 0.999 else { return nil }
    // A member's own work is never hidden by what strangers think of it.
    guard picture.remoteURL != nil else { return .label }
    switch try assessmentEffect() {
    case .label: return .label
    case .hold: return .hold
    }
  }

  /// The files by which others may know a picture: what it came as, and what we give to peers.
  package func digests(of picture: Attachment) throws -> Set<Digest> {
    let files = try renditions(of: [picture.id])[picture.id, default: []].map(\.digest)
    return Set(files + [picture.original].compactMap { $0 })
  }
}

extension WriteTransaction {
  /// The actor that exchanges assessments, apart from the server's own: following that one asks for a relay
  /// elsewhere. Made once.
  package func createAssessor(keys: [StoredKey], id: Account.ID, in context: OperationContext) throws -> Account {
    let instance = context.instance
    let actor = instance.assessor
    let account = Account(
      id: id, username: Instance.assessorName, host: nil, kind: .application, uri: actor,
      url: instance.detectorPage, displayName: "Assessor of \(instance.host.text)",
      inbox: actor.appending("/inbox") ?? actor, sharedInbox: instance.sharedInbox,
      outbox: actor.appending("/outbox"), followers: actor.appending("/followers"),
      following: actor.appending("/following"), isLocked: true, isDiscoverable: false, createdAt: context.now,
      fetchedAt: context.now)
    try insert(account)
    for key in keys { try insert(key, at: context.now) }
    return account
  }

  /// Stores what an assessor says, or says now, and lets the policy look again. The caller has checked whose word it
  /// is, and of which bytes.
  package func receiveAssessment(_ received: PeerAssessment, in context: OperationContext) throws {
    var changed = true
    if var known = try peerAssessment(uri: received.uri) {
      guard known.assessorID == received.assessorID, known.attachmentID == received.attachmentID else {
        throw OperationFailure.notFound
      }
      guard received.statedAt > known.statedAt else { return }
      changed = known.decision.isAgainst != received.decision.isAgainst
      known.subjectDigest = received.subjectDigest
      known.decision = received.decision
      known.isMeasured = received.isMeasured
      known.appeal = received.appeal
      known.document = received.document
      known.statedAt = received.statedAt
      known.endsAt = received.endsAt
      known.hasEnded = received.endsAt <= context.now
      try update(known)
    } else {
      try insert(received)
      changed = received.decision.isAgainst
    }
    try lookAgain(received.attachmentID, in: context)
    guard changed, let picture = try attachment(received.attachmentID) else { return }
    try notify(
      picture.ownerID, of: .assessment, from: received.assessorID, post: picture.postID, in: context)
  }

  private func lookAgain(_ picture: Attachment.ID, in context: OperationContext) throws {
    try enqueueUnlessWaiting(
      [.reconsider(picture)], ids: context.ids, at: context.now, ordering: "reconsider \(picture)")
  }

  /// How much an assessor is believed, 0...1. Everything it has said is weighed again.
  package func setWeight(of assessor: Account, to weight: Double, in context: OperationContext) throws {
    guard weight.isFinite, (0...1).contains(weight) else {
      throw OperationFailure(.invalid, "assessor.weight", "A weight is a number from 0 to 1.")
    }
    guard !assessor.isLocal, assessor.kind == .service || assessor.kind == .application else {
      throw OperationFailure(.invalid, "assessor.kind", "This is no assessor of another server.")
    }
    try save(AssessorPeer(accountID: assessor.id, weight: weight, setAt: context.now))
    for assessment in try peerAssessments(by: assessor.id, limit: Limits.reweighed) {
      try lookAgain(assessment.attachmentID, in: context)
    }
  }

  /// Follows the assessor of another server, with no weight until an admin gives it one.
  package func followAssessor(_ assessor: Account, in context: OperationContext) throws {
    guard let own = try account(uri: context.instance.assessor) else { throw OperationFailure.notFound }
    guard !assessor.isLocal, assessor.kind == .service || assessor.kind == .application else {
      throw OperationFailure(.invalid, "assessor.kind", "This is no assessor of another server.")
    }
    _ = try follow(assessor, by: own, in: context)
    if try weights(of: [assessor.id]).isEmpty {
      try save(AssessorPeer(accountID: assessor.id, weight: 0, setAt: context.now))
    }
  }

  /// Ends it in both directions. What it said has no weight any more.
  package func forgetAssessor(_ assessor: Account, in context: OperationContext) throws {
    guard let own = try account(uri: context.instance.assessor) else { throw OperationFailure.notFound }
    if try !weights(of: [assessor.id]).isEmpty { try setWeight(of: assessor, to: 0, in: context) }
    try deleteAssessorPeer(assessor.id)
    try unfollow(assessor, by: own, in: context)
    if try follow(of: own.id, by: assessor.id) != nil { try rejectFollow(by: assessor, to: own, in: context) }
  }

  package func setAssessmentEffect(_ effect: AssessmentEffect, in context: OperationContext) throws {
    try set(AssessmentEffect.setting, to: effect.rawValue)
    for peer in try assessorPeers() where peer.weight > 0 {
      for assessment in try peerAssessments(by: peer.accountID, limit: Limits.reweighed) {
        try lookAgain(assessment.attachmentID, in: context)
      }
    }
  }

  /// Undoes what assessments did whose time has passed, since detectors age; after a year only numbers are left.
  package func endAssessments(in context: OperationContext) throws {
    for var assessment in try peerAssessments(endedBy: context.now, limit: Limits.assessmentSweep) {
      assessment.hasEnded = true
      try update(assessment)
      try lookAgain(assessment.attachmentID, in: context)
    }
    let year = context.now.adding(.zero - Limits.assessmentRetention)
    for old in try peerAssessments(receivedBefore: year, limit: Limits.assessmentSweep) {
      try count(old, of: try account(old.assessorID)?.host?.text ?? "")
    }
    try deleteSentAssessments(before: year)
  }

  /// Tells the assessors that were approved here what was decided over a picture from elsewhere, and everybody who was
  /// told of it when that changes. What rests on the word of other assessors is not passed on.
  func share(_ record: DecisionRecord, of picture: Attachment, in context: OperationContext) throws {
    guard !context.instance.isTrial, picture.remoteURL != nil, picture.postID != nil else { return }
    let wasSent = try !sentAssessments(of: picture.id).isEmpty
    guard wasSent || record.reasons.contains(where: { $0.verdict != .accept && $0.code.isOwnFinding }) else { return }
    guard let own = try account(uri: context.instance.assessor) else { return }
    if !wasSent, try remoteFollowers(of: own.id).isEmpty { return }
    try enqueue(
      .federate(.assessed(record.id)), id: context.ids.next(), at: context.now, ordering: "assessed \(picture.id)")
  }
}

extension Reason.Code {
  /// Found here, in the bytes or by a person. What an author declares travels with the work, and what others found is
  /// theirs to tell.
  package var isOwnFinding: Bool {
    switch self {
    case .conclusiveEvidence, .strongEvidence, .score, .scoreContested, .moderator: true
    case .declaredGenerated, .declaredAssisted, .notAnalysed, .peerAssessments: false
    }
  }
}

extension Limits {
  /// Assessments of one assessor that are weighed again at once.
  package static let reweighed = 10_000
  package static let assessmentSweep = 1_000
  package static let assessmentRetention = Duration.seconds(365 * 86_400)
}
