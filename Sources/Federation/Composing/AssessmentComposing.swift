import ActivityStreams
import Model
import Persistence
import Policy
import Primitives
import Signatures
import Store

/// What one assessment is made of, and whom it is for.
private struct Assessed: Sendable {
  var record: DecisionRecord
  var picture: Model.Attachment
  var post: Post
  var assessor: Account
  var threshold: Double
  var recipients: [Account]
  /// The decision under which it was told first; nil for the first time.
  var first: DecisionRecord.ID?
}

extension Composer {
  /// A decision on a picture from elsewhere for the assessors that were approved here, or for all that were told of an
  /// earlier one. Never to the public, and never part of the work.
  func assessed(_ id: DecisionRecord.ID) async throws -> ComposedActivity? {
    guard let found = try await material(of: id), let digest = found.picture.original,
      let subject = found.picture.remoteURL
    else { return nil }
    let now = environment.time.now()
    var facts = AssessmentFacts(
      decision: found.record, object: found.post.uri, subject: subject, digest: digest, assessor: found.assessor.uri,
      threshold: found.threshold, model: model(of: found.record.assessment))
    facts.first = found.first
    guard var object = facts.document(in: instance) else { return nil }
    let people = found.recipients.map(\.uri)
    object["to"] = .array(people.map { .string($0.text) })
    object = try await signed(Context.document(object, Context.assessment), by: found.assessor.id, at: now)
    let uri = instance.assessment(found.first ?? id)
    let activity = (found.first == nil ? uri.appending("#create") : uri.appending("#updates/\(id)")) ?? uri
    let header = Header(
      id: activity, actor: found.assessor.uri, addressing: Addressing(to: people), published: now)
    let wrapped = Reference<Subject>.embedded(.other(id: uri, type: "AiAssessment", object))
    var document =
      (found.first == nil
      ? Activity.create(Create(header: header, object: wrapped))
      : Activity.update(Update(header: header, object: wrapped))).document ?? .null
    document["object"] = object
    document = try await signed(document, by: found.assessor.id, at: now)
    let picture = found.picture.id
    let first = found.first ?? id
    let recipients = found.recipients.map(\.id)
    return ComposedActivity(
      sender: found.assessor, id: activity, object: uri, isUpdate: found.first != nil, body: document.bytes,
      recipients: found.recipients,
      note: { tx in
        for recipient in recipients {
          try tx.insertSentAssessment(of: picture, to: recipient, under: first, at: now)
        }
      })
  }

  private func material(of id: DecisionRecord.ID) async throws -> Assessed? {
    let own = instance.assessor
    return try await environment.database.read { tx -> Assessed? in
      guard let record = try tx.decision(id), let picture = try tx.attachment(record.attachmentID),
        let post = try picture.postID.flatMap({ try tx.post($0) }), post.visibility.isOpen, !post.isLocal,
        let assessor = try tx.account(uri: own)
      else { return nil }
      let sent = try tx.sentAssessments(of: picture.id)
      // The latest word alone: what was decided in between is told to nobody.
      guard try tx.decisions(on: [picture.id])[picture.id]?.id == id else { return nil }
      let recipients =
        sent.isEmpty ? try tx.remoteFollowers(of: assessor.id) : Array(try tx.accounts(sent.map(\.recipient)).values)
      guard !recipients.isEmpty, !sent.isEmpty || record.verdict != .accept else { return nil }
      let document = try tx.policyRevision(record.policyRevision)
      return Assessed(
        record: record, picture: picture, post: post, assessor: assessor, threshold: document?.threshold ?? 1,
        recipients: recipients.sorted { $0.id < $1.id }, first: sent.first?.decision)
    }
  }

  /// The model that gave the score, when it is the one in use: of another one the file is not at hand.
  private func model(of assessment: Assessment) -> ContentDigest? {
    guard let model = environment.detectorModel,
      let layer = assessment.layers.first(where: { $0.outcome.score != nil && $0.calibration.images > 0 }),
      layer.model == model.name, layer.version == model.version
    else { return nil }
    return model.digest
  }
}
