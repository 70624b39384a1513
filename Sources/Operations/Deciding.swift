import Model
import Persistence
import Policy
import Primitives
import Store

/// What the worker found and stored for one picture, before the policy has spoken.
package struct AnalysedPicture: Sendable {
  package var original: Digest
  package var assessment: Assessment
  package var declaration: Declaration
  package var perceptualHash: PerceptualHash?
  package var blurhash: String?
  package var width: Int?
  package var height: Int?
  package var digitalSourceType: String?
  package var renditions: [Rendition]
  /// Bytes of the original, where it is kept.
  package var originalSize: Int?
  package init(
    original: Digest, assessment: Assessment, declaration: Declaration, perceptualHash: PerceptualHash?,
    blurhash: String?, width: Int?, height: Int?, digitalSourceType: String?, renditions: [Rendition],
    originalSize: Int? = nil
  ) {
    self.original = original
    self.assessment = assessment
    self.declaration = declaration
    self.perceptualHash = perceptualHash
    self.blurhash = blurhash
    self.width = width
    self.height = height
    self.digitalSourceType = digitalSourceType
    self.renditions = renditions
    self.originalSize = originalSize
  }
}

extension Attachment.State {
  /// How a picture stands after a decision.
  init(after verdict: Verdict) {
    switch verdict {
    case .accept, .label: self = .ready
    case .hold: self = .held
    case .refuse: self = .refused
    }
  }
}

extension Reason.Code {
  /// Whether the reason lies in the bytes. A declaration is the word of whoever shows them, and that nobody could look
  /// says nothing about them.
  fileprivate var isAboutBytes: Bool {
    switch self {
    case .conclusiveEvidence, .strongEvidence, .score, .scoreContested, .moderator: true
    case .declaredGenerated, .declaredAssisted, .notAnalysed, .peerAssessments: false
    }
  }
}

extension WriteTransaction {
  /// Lets the policy decide over a picture that was analysed, stores decision and renditions, and carries out what
  /// follows. The files exist already; those of a refused picture lose their rows here and are swept afterwards.
  package func settle(
    _ attachment: Attachment, as analysed: AnalysedPicture, in context: OperationContext
  ) throws -> DecisionRecord {
    // Read again: looking takes seconds, and an edit meanwhile may have tightened the policy or moved the picture.
    guard let attachment = try self.attachment(attachment.id) else { throw OperationFailure.notFound }
    var settled = attachment
    settled.original = analysed.original
    settled.originalSize = analysed.originalSize
    settled.perceptualHash = analysed.perceptualHash
    settled.blurhash = analysed.blurhash ?? attachment.blurhash
    settled.width = analysed.width ?? attachment.width
    settled.height = analysed.height ?? attachment.height
    settled.digitalSourceType = attachment.digitalSourceType ?? analysed.digitalSourceType
    settled.failure = nil
    try note(analysed.original, of: attachment, in: context)
    // FEP-1311: other bytes than the author signed for. They are looked at, and the difference is on record.
    if attachment.declaredDigest != analysed.original { settled.declaredDigest = nil }
    let owner = try account(attachment.ownerID)
    let cleared = try isCleared(
      digest: analysed.original, perceptualHash: analysed.perceptualHash, distance: Limits.clearedDistance)
    var facts = ImageFacts(
      analysed.assessment, declaration: analysed.declaration, origin: owner?.host, isCleared: cleared,
      author: owner?.isLocal == true ? .member : .known)
    facts.peers = try peerVerdict(on: settled, at: context.now)
    // Bytes that come back after a moderator has spoken are the same work: the moderator's word stands.
    let last = try decisions(on: [attachment.id])[attachment.id]
    let stands = last?.decidedBy != nil && attachment.original == analysed.original ? last : nil
    let record = try stands ?? decide(facts, analysed.assessment, on: attachment.id, in: context)
    settled.state = Attachment.State(after: record.verdict)
    try update(settled)
    if settled.state == .refused {
      try replaceRenditions(of: settled.id, with: [])
      try remember(settled, refusedFor: record.reasons, in: context)
      try discard(analysed.renditions.map(\.digest) + [analysed.original], in: context)
    } else {
      try replaceRenditions(of: settled.id, with: analysed.renditions)
    }
    if owner?.isLocal == true, record.verdict != .accept {
      try notify(settled.ownerID, of: .decision, from: settled.ownerID, post: settled.postID, in: context)
    }
    if stands == nil { try share(record, of: settled, in: context) }
    if let post = settled.postID { try tell(.edited, post) }
    afterCommit(.posts)
    return record
  }

  /// Remembers that a picture is not the file its author's document names, or that it is now.
  private func note(_ found: Digest, of attachment: Attachment, in context: OperationContext) throws {
    guard attachment.remoteURL != nil else { return }
    let known = try changedMedia(among: [attachment.id])[attachment.id]
    guard let declared = attachment.declaredDigest ?? known?.declared else { return }
    guard declared != found else { return try deleteChangedMedium(attachment.id) }
    try save(ChangedMedium(attachmentID: attachment.id, declared: declared, found: found, notedAt: context.now))
  }

  private func decide(
    _ facts: ImageFacts, _ assessment: Assessment, on id: Attachment.ID, in context: OperationContext
  ) throws -> DecisionRecord {
    let revision = try currentPolicy()
    let decision = revision.document.decide(facts)
    let record = DecisionRecord(
      id: context.ids.next(), attachmentID: id, verdict: decision.verdict, reasons: decision.told, facts: facts,
      assessment: assessment, policyRevision: revision.number, decidedAt: context.now, decidedBy: nil)
    try insert(record)
    return record
  }

  /// Only what was found in the bytes is remembered of them. A stranger who shows somebody else's picture and declares
  /// it generated would otherwise have the artist's own post refused unseen.
  private func remember(_ refused: Attachment, refusedFor reasons: [Reason], in context: OperationContext) throws {
    guard let digest = refused.original, reasons.contains(where: { $0.verdict == .refuse && $0.code.isAboutBytes })
    else { return }
    try insertRefused(refused, digest: digest, at: context.now)
  }

  private func discard(_ files: [Digest], in context: OperationContext) throws {
    try enqueue(.discardFiles(Array(Set(files))), id: context.ids.next(), at: context.now)
  }

  /// The picture could not be fetched or opened. The post stays; a card with the reason takes the picture's place.
  package func fail(_ attachment: Attachment, reason: String, in context: OperationContext) throws {
    guard var failed = try self.attachment(attachment.id) else { return }
    if reason == "media.refused_before", try refuseAgain(failed, in: context) { return }
    failed.state = .failed
    failed.failure = reason
    try update(failed)
    if let post = failed.postID { try tell(.edited, post) }
    afterCommit(.posts)
  }

  /// A picture that was refused elsewhere is refused here for the same reasons, without being fetched: it can be
  /// appealed like the first, and comes back with it. False when the first is gone.
  private func refuseAgain(_ attachment: Attachment, in context: OperationContext) throws -> Bool {
    let known = try refusal(digest: attachment.declaredDigest, url: attachment.remoteURL)
    guard let known, let first = known.attachment, let last = try decisions(on: [first])[first],
      last.verdict == .refuse
    else { return false }
    try insert(
      DecisionRecord(
        id: context.ids.next(), attachmentID: attachment.id, verdict: last.verdict, reasons: last.reasons,
        facts: last.facts, assessment: last.assessment, policyRevision: last.policyRevision, decidedAt: context.now,
        decidedBy: last.decidedBy))
    var refused = attachment
    refused.state = .refused
    refused.original = known.digest
    refused.perceptualHash = known.perceptualHash
    try update(refused)
    afterCommit(.posts)
    return true
  }

  /// Decides again from the stored facts, after the policy or the list of cleared works has changed, and undoes or
  /// carries out what follows. A moderator's word stands until the same work is cleared by another.
  package func reconsider(_ attachment: Attachment, in context: OperationContext) throws {
    guard let last = try decisions(on: [attachment.id])[attachment.id] else { return }
    var facts = last.facts
    if let digest = attachment.original {
      facts.isCleared = try isCleared(
        digest: digest, perceptualHash: attachment.perceptualHash, distance: Limits.clearedDistance)
    }
    guard last.decidedBy == nil || facts.isCleared else { return }
    facts.peers = try peerVerdict(on: attachment, at: context.now)
    let revision = try currentPolicy()
    let decision = revision.document.decide(facts)
    guard decision.verdict != last.verdict else { return }
    try record(
      decision, on: attachment, facts: facts, assessment: last.assessment, revision: revision.number, by: nil,
      in: context)
  }

  /// A moderator finds the work human: it is shown, every automatic effect is undone, and the same work is not
  /// flagged again.
  package func overturn(_ attachment: Attachment, by moderator: Account, in context: OperationContext) throws {
    guard let last = try decisions(on: [attachment.id])[attachment.id] else { throw OperationFailure.notFound }
    if let digest = attachment.original {
      try clear(digest: digest, perceptualHash: attachment.perceptualHash, by: moderator.id, at: context.now)
      for copy in try attachments(withOriginal: digest, besides: attachment.id) {
        try enqueue(
          .reconsider(copy.id), id: context.ids.next(), at: context.now, dedup: "reconsider \(copy.id)")
      }
    }
    var facts = last.facts
    facts.isCleared = true
    try record(
      .accept, on: attachment, facts: facts, assessment: last.assessment, revision: last.policyRevision,
      by: moderator.id, in: context)
    try closeAppeals(on: attachment.id, as: .overturned)
  }

  /// A moderator decides by hand; an appeal on it is answered with it.
  package func decide(
    _ verdict: Verdict, on attachment: Attachment, sentence: String, by moderator: Account,
    in context: OperationContext
  ) throws {
    guard verdict != .accept else { return try overturn(attachment, by: moderator, in: context) }
    guard let last = try decisions(on: [attachment.id])[attachment.id] else { throw OperationFailure.notFound }
    let decision = Decision(reasons: [Reason(code: .moderator, verdict: verdict, sentence: sentence)])
    if let digest = attachment.original { try unclear(digest: digest) }
    var facts = last.facts
    facts.isCleared = false
    try record(
      decision, on: attachment, facts: facts, assessment: last.assessment, revision: last.policyRevision,
      by: moderator.id, in: context)
    try closeAppeals(on: attachment.id, as: .upheld)
  }

  private func record(
    _ decision: Decision, on attachment: Attachment, facts: ImageFacts, assessment: Assessment, revision: Int,
    by moderator: Account.ID?, in context: OperationContext
  ) throws {
    let made = DecisionRecord(
      id: context.ids.next(), attachmentID: attachment.id, verdict: decision.verdict, reasons: decision.told,
      facts: facts, assessment: assessment, policyRevision: revision, decidedAt: context.now, decidedBy: moderator)
    try insert(made)
    try share(made, of: attachment, in: context)
    var changed = attachment
    let wasRefused = attachment.state == .refused
    let hasBytes =
      attachment.state == .ready || (attachment.state == .held && attachment.failure != Attachment.quarantineEnded)
    changed.state = Attachment.State(after: decision.verdict)
    // Bytes that are gone, or never came, are fetched again, and shown when they have arrived.
    if !hasBytes, changed.state != .refused {
      changed.state = attachment.remoteURL == nil ? .failed : .waiting
      changed.failure = attachment.remoteURL == nil ? "media.upload_again" : nil
      try forgetRefusal(digest: attachment.original, url: attachment.remoteURL)
    }
    try update(changed)
    if changed.state == .waiting {
      try enqueue(
        .fetchMedia(changed.id), id: context.ids.next(), at: context.now, dedup: "media \(changed.id)")
    }
    if changed.state == .refused, !wasRefused {
      let files = try renditions(of: [changed.id])[changed.id, default: []].map(\.digest)
      try replaceRenditions(of: changed.id, with: [])
      try discard(files + [changed.original].compactMap { $0 }, in: context)
      try remember(changed, refusedFor: decision.told, in: context)
    }
    try notify(
      changed.ownerID, of: .decision, from: changed.ownerID, post: changed.postID, in: context)
    if let post = changed.postID { try release(post, in: context) }
    afterCommit(.posts)
  }

  /// Deletes the bytes of pictures from elsewhere that were held for thirty days without a moderator's word. The card
  /// with the reason stays in their place, and a later clearance fetches them again. An artist's own upload waits on.
  package func endQuarantine(in context: OperationContext) throws {
    let since = context.now.adding(.zero - Limits.quarantine)
    for attachment in try heldFromElsewhere(undecidedSince: since, limit: Limits.quarantineSweep) {
      let files = try renditions(of: [attachment.id])[attachment.id, default: []].map(\.digest)
      try replaceRenditions(of: attachment.id, with: [])
      try discard(files + [attachment.original].compactMap { $0 }, in: context)
      var ended = attachment
      ended.failure = Attachment.quarantineEnded
      try update(ended)
    }
  }

  /// Anybody may appeal, so the number that wait is limited; strangers can not use up what the owner has.
  package func appeal(
    _ attachment: Attachment, message: String, contact: String, by person: Account.ID? = nil,
    in context: OperationContext
  ) throws -> Appeal {
    guard try decisions(on: [attachment.id])[attachment.id].map({ $0.verdict != .accept }) == true else {
      throw OperationFailure(.invalid, "appeal.nothing_to_appeal", "No decision stands against this picture.")
    }
    let most = person == attachment.ownerID ? 2 * Limits.openAppeals : Limits.openAppeals
    guard try openAppeals(on: attachment.id) < most else {
      throw OperationFailure(.conflict, "appeal.open", "Appeals on this picture are waiting for a moderator already.")
    }
    let appeal = Appeal(
      id: context.ids.next(), attachmentID: attachment.id, contact: String(contact.prefix(Limits.appealContact)),
      message: String(message.prefix(Limits.appealMessage)), state: .open, createdAt: context.now)
    try insert(appeal)
    return appeal
  }

  /// A new revision of the instance's policy, and a second look at what the old one decided.
  package func changePolicy(
    to document: PolicyDocument, from base: Int, note: String, by author: Account.ID?, in context: OperationContext
  ) throws -> PolicyRevision {
    guard try currentPolicy().number == base else {
      throw OperationFailure(.conflict, "policy.changed_meanwhile", "The policy was changed meanwhile. Look again.")
    }
    let revision = PolicyRevision(
      number: base + 1, document: document.numbered(Int64(base) + 1), note: note, authorID: author,
      createdAt: context.now)
    try insert(revision)
    let since = ID<DecisionRecord>(rawValue: context.now.adding(.zero - Limits.reconsidered).milliseconds << 16)
    for record in try automaticDecisions(since: since, limit: Limits.reconsideredPictures) {
      try enqueue(
        .reconsider(record.attachmentID), id: context.ids.next(), at: context.now,
        dedup: "reconsider \(record.attachmentID)")
    }
    return revision
  }
}

extension Attachment {
  /// `failure` of a held picture whose bytes are gone.
  fileprivate static let quarantineEnded = "quarantine.ended"
}

extension Limits {
  /// Pictures whose quarantine ends in one commit.
  package static let quarantineSweep = 500
  /// Bits in which a copy's perceptual hash may differ from a cleared work's.
  package static let clearedDistance = 6
  package static let openAppeals = 5
  package static let appealMessage = 4_000
  package static let appealContact = 320
  /// How far back a new policy looks.
  package static let reconsidered = Duration.seconds(30 * 86_400)
  package static let reconsideredPictures = 10_000
}
