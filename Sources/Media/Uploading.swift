import Forensics
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

/// A picture as its artist sends it.
package struct Upload: Sendable {
  package var bytes: [UInt8]
  /// As the client announced it; a difference to the bytes is refused.
  package var mediaType: String?
  package var altText = ""
  package var focus: Focus?
  package var usagePolicy: UsagePolicy?
  package var digitalSourceType: String?
  package init(bytes: [UInt8], mediaType: String? = nil) {
    self.bytes = bytes
    self.mediaType = mediaType
  }
}

/// What became of an upload: always a row, so that even a refused picture can be appealed.
package struct UploadOutcome: Sendable {
  package let attachment: Attachment
  package let renditions: [Model.Rendition]
  package let decision: DecisionRecord
  /// What the file itself said of its rights, to be shown beside the form.
  package let sourceRights: Rights
  package let hadLocation: Bool

  package init(
    attachment: Attachment, renditions: [Model.Rendition], decision: DecisionRecord, sourceRights: Rights = Rights(),
    hadLocation: Bool = false
  ) {
    self.attachment = attachment
    self.renditions = renditions
    self.decision = decision
    self.sourceRights = sourceRights
    self.hadLocation = hadLocation
  }
}

/// What the faces call for a picture they were given, so that they are tested without a worker.
package typealias PictureIntake = @Sendable (Upload, Account) async throws -> UploadOutcome

extension MediaPipeline {
  /// Looks at a picture while its artist waits: a few hundred milliseconds. Throws `OperationFailure` for bytes that
  /// can not be shown, with the worker's code, and for what is said about them; then nothing was stored.
  package func upload(_ upload: Upload, by owner: Account) async throws -> UploadOutcome {
    guard upload.altText.count <= Limits.altTextCharacters else {
      throw OperationFailure(
        .invalid, "media.alt_text_too_long",
        "A description has at most \(Limits.altTextCharacters) characters.")
    }
    try await requireRoom(for: upload.bytes.count, of: owner)
    let policy = upload.usagePolicy ?? effectivePolicy(of: owner, on: instance)
    let picture: AnalysedPicture
    let report: MediaReport
    do {
      guard upload.bytes.count <= Limits.upload else { throw MediaRefusal.fileTooLarge }
      (picture, report) = try await analyse(
        upload.bytes, declaredType: upload.mediaType, policy: policy, declaredSourceType: upload.digitalSourceType,
        keepsOriginal: true)
    } catch let failure as BlobFailure where failure.isOutOfSpace {
      throw OperationFailure.noSpace
    } catch let refusal as MediaRefusal {
      throw OperationFailure(refusal.isTransient ? .busy : .invalid, refusal.code, refusal.text)
    }
    let context = context
    let attachment = Attachment(
      id: context.ids.next(), ownerID: owner.id, altText: upload.altText, focus: upload.focus,
      usagePolicy: upload.usagePolicy, digitalSourceType: upload.digitalSourceType, createdAt: context.now)
    let stored = try await database.write { tx in
      try tx.insert(attachment)
      let decision = try tx.settle(attachment, as: picture, in: context)
      guard let settled = try tx.attachment(attachment.id) else { throw OperationFailure.notFound }
      return (settled, decision)
    }
    return UploadOutcome(
      attachment: stored.0, renditions: stored.0.state == .refused ? [] : picture.renditions, decision: stored.1,
      sourceRights: report.sourceRights, hadLocation: report.hadLocation)
  }
}
