import HTTPSupport
import HTTPTypes
import Hummingbird
import Media
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

extension ClientAPI {
  /// Answers 200 at once: a picture is looked at while its artist waits. One that the policy refuses is answered
  /// with the reasons and the way to object, and its row stays for the appeal.
  @Sendable func createMedia(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let parameters = call.parameters
    guard let file = parameters.files["file"], !file.bytes.isEmpty else { throw Problem.parameter("file") }
    let description = parameters["description"] ?? ""
    guard description.unicodeScalars.count <= Limits.altTextCharacters else { throw Problem.parameter("description") }
    let type = file.mediaType.prefix { $0 != ";" }.lowercased()
    var upload = Upload(bytes: file.bytes, mediaType: type.hasPrefix("image/") ? type : nil)
    upload.altText = description
    upload.focus = try focus(parameters)
    upload.usagePolicy = try usagePolicy(parameters)
    let outcome = try await intake(upload, owner)
    let stored = StoredPicture(
      attachment: outcome.attachment, renditions: outcome.renditions, decision: outcome.decision)
    guard stored.attachment.state != .refused else { throw refusal(of: stored) }
    return own(stored, by: owner, revealing: call.isModerator).workResponse
  }

  private func refusal(of stored: StoredPicture) -> Problem {
    let sentence = stored.decision?.reasons.first?.sentence ?? "This instance's policy does not accept this picture."
    return Problem(
      .unprocessableContent, "media.refused", sentence,
      details: [
        "id": .string(stored.attachment.id.description),
        "reasons": entities.reasons(stored.decision),
        "ai_assessment": entities.assessment(of: stored.attachment, stored.decision, isTrusted: true),
        "appeal": .string(instance.appeal(stored.attachment.id).text),
      ])
  }

  /// The owner's view keeps the description as written: it is what the client sends back.
  private func own(_ stored: StoredPicture, by owner: Account, revealing: Bool) -> JSON {
    let attachment = stored.attachment
    var drawn = entities.attachment(
      attachment, renditions: stored.renditions, decision: stored.decision,
      policy: effectivePolicy(of: owner, attachment: attachment, on: instance), revealing: revealing,
      isOwn: true)
    drawn["description"] = .text(attachment.altText.isEmpty ? nil : attachment.altText)
    return drawn
  }

  private func draw(_ attachment: Attachment, for call: Call, _ tx: any ReadTransaction) throws -> JSON {
    let stored = StoredPicture(
      attachment: attachment, renditions: try tx.renditions(of: [attachment.id])[attachment.id, default: []],
      decision: try tx.decisions(on: [attachment.id])[attachment.id])
    return own(stored, by: try call.member(), revealing: call.isModerator)
  }

  /// 206 while it waits and 422 when it failed: what Tusky's loop ends on.
  @Sendable func showMedia(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: Attachment.ID = try call.id()
    let (drawn, state) = try await database.read { [self] tx in
      guard let attachment = try tx.attachment(id), attachment.ownerID == owner.id else { throw Problem.notFound }
      if attachment.state == .failed {
        throw Problem(.unprocessableContent, attachment.failure ?? "media.failed", "The picture could not be shown")
      }
      if attachment.state == .refused {
        let decision = try tx.decisions(on: [id])[id]
        throw refusal(of: StoredPicture(attachment: attachment, renditions: [], decision: decision))
      }
      return (try draw(attachment, for: call, tx), attachment.state)
    }
    var response = drawn.workResponse
    if state == .waiting { response.status = .partialContent }
    return response
  }

  @Sendable func describeMedia(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: Attachment.ID = try call.id()
    let altText = call.parameters["description"]
    let focus = try focus(call.parameters)
    return try await database.write { [self] tx in
      let attachment = try tx.describe(id, altText: altText, focus: focus, by: owner)
      return try draw(attachment, for: call, tx)
    }.workResponse
  }

  @Sendable func deleteMedia(_ call: Call) async throws -> Response {
    let owner = try call.member()
    let id: Attachment.ID = try call.id()
    try await database.write { try $0.discard(id, by: owner) }
    return .json([:])
  }

  /// `x,y`, each in -1...1.
  private func focus(_ parameters: RequestParameters) throws -> Focus? {
    guard let text = parameters["focus"], !text.isEmpty else { return nil }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Double(String($0)) }
    guard text.utf8.count <= 64, parts.count == 2, case .some(.some(let x)) = parts.first,
      case .some(.some(let y)) = parts.last, let focus = Focus(x: x, y: y)
    else { throw Problem.parameter("focus") }
    return focus
  }
}
