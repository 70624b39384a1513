import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct ModerationPage {
  struct Case {
    let id: String
    let plate: Plate
    let author: String
    let authorPath: String
    let workPath: String?
    let alt: String
    let state: String
    let evidence: DecisionWords?
    let score: String?
    /// Where to see which places are unusual; nil when no pixels were scored, or none are here.
    let wherePath: String?
    let appeals: [Plea]
    let hasAppeals: Bool
  }
  struct Plea {
    let message: String
    let contact: String
    let date: String
  }
  let token: String
  let openReports: Int?
  let isAdmin: Bool
  let cases: [Case]
  let isEmpty: Bool
  let done: Bool
  let meaning: String
  let notice: String?
}

private struct ModerationRows {
  var policy: PolicyDocument
  var pictures: [Attachment]
  var appeals: [Attachment.ID: [Appeal]]
  var decisions: [Attachment.ID: DecisionRecord]
  var renditions: [Attachment.ID: [Rendition]]
  var owners: [Account.ID: Account]
  var openReports: Int
}

extension WebFace {
  @Sendable func moderation(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    let moderator = try context.require(role: .moderator)
    let found = try await database.read { tx -> ModerationRows in
      let appeals = try tx.appeals(in: .open, Page(limit: Limits.moderationCases))
      let held = try tx.attachments(in: .held, Page(limit: Limits.moderationCases))
      let appealed = try tx.attachments(Set(appeals.map(\.attachmentID)).subtracting(held.map(\.id)))
      // Somebody is waiting for an answer: appeals come first.
      let asked = Set(appeals.map(\.attachmentID))
      let pictures = (appealed + held).sorted { left, right in
        (asked.contains(left.id) ? 0 : 1, left.id) < (asked.contains(right.id) ? 0 : 1, right.id)
      }
      let ids = pictures.map(\.id)
      return ModerationRows(
        policy: try tx.currentPolicy().document, pictures: pictures,
        appeals: Dictionary(grouping: appeals, by: \.attachmentID),
        decisions: try tx.decisions(on: ids), renditions: try tx.renditions(of: ids),
        owners: try tx.accounts(Set(pictures.map(\.ownerID))),
        openReports: try tx.reports(resolved: false, Page(limit: Limits.reportsShown)).count)
    }
    let cases = found.pictures.compactMap { moderationCase($0, found) }
    let model = ModerationPage(
      token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "",
      openReports: found.openReports == 0 ? nil : found.openReports, isAdmin: moderator.role == .admin, cases: cases,
      isEmpty: cases.isEmpty,
      done: request.uri.queryParameters["done"] != nil,
      meaning: ScoreMeaning(threshold: found.policy.threshold, detectors: detectors).sentence,
      notice: detectorNotice)
    let frame = frame("Moderation", context, policy: standardPolicy, isListed: false)
    return try page(
      "moderation", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  private func moderationCase(_ picture: Attachment, _ found: ModerationRows) -> ModerationPage.Case? {
    guard let owner = found.owners[picture.ownerID] else { return nil }
    let decision = found.decisions[picture.id]
    let pleas = (found.appeals[picture.id] ?? []).map { appeal in
      ModerationPage.Plea(
        message: appeal.message, contact: appeal.contact, date: dayInWords(appeal.createdAt))
    }
    let state =
      switch picture.state {
      case .ready: decision?.verdict == .label ? "Shown with a flag" : "Shown"
      case .held: "Held"
      case .refused: "Not shown; the bytes are gone"
      case .waiting: "On its way"
      case .failed: "Failed"
      case .linked: "Elsewhere"
      }
    return ModerationPage.Case(
      id: picture.id.description,
      plate: plate(
        picture, by: owner, renditions: found.renditions[picture.id] ?? [], decision: decision, seesHeld: true),
      author: shownName(owner), authorPath: path(of: owner),
      workPath: picture.postID.map { "\(path(of: owner))/\($0)" }, alt: picture.altText, state: state,
      evidence: decision.map(DecisionWords.init),
      score: decision?.assessment.opinion.score.map { scoreInWords($0, threshold: found.policy.threshold) },
      wherePath: hasPixelScore(decision) && found.renditions[picture.id]?.isEmpty == false
        ? "/moderation/\(picture.id)/where" : nil, appeals: pleas, hasAppeals: !pleas.isEmpty)
  }

  private func hasPixelScore(_ decision: DecisionRecord?) -> Bool {
    decision?.assessment.layers.contains { $0.detector == "pixels" && $0.outcome.score != nil } ?? false
  }

  private func scoreInWords(_ score: Double, threshold: Double) -> String {
    let side = score >= threshold ? "at or above" : "below"
    return "Score \(fourDigits(score)), \(side) the threshold of \(threshold)."
  }

  @Sendable func moderate(_ request: Request, _ context: FaceContext) async throws -> Response {
    let moderator = try context.require(role: .moderator)
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let id = context.parameters.get("id").flatMap({ Attachment.ID($0) }) else { throw Problem.notFound }
    guard let verdict = parameters["verdict"].flatMap({ Verdict(rawValue: $0) }) else {
      throw Problem.parameter("verdict")
    }
    let words = String((parameters["sentence"] ?? "").prefix(Limits.moderatorSentence))
    let sentence = words.allSatisfy(\.isWhitespace) ? "A moderator looked at the picture and decided." : words
    let change = self.context
    try await database.write { tx in
      guard let picture = try tx.attachment(id) else { throw OperationFailure.notFound }
      try tx.decide(verdict, on: picture, sentence: sentence, by: moderator.account, in: change)
    }
    return Response.seeOther("/moderation?done=1")
  }
}

extension Limits {
  static let moderationCases = 20
  static let moderatorSentence = 500
}
