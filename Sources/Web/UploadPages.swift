import HTTPSupport
import HTTPTypes
import Hummingbird
import Markup
import Media
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

struct Choice {
  let value: String
  let name: String
  let hint: String
  let isChosen: Bool
}

private struct UploadPage {
  let token: String
  let altLimit: Int
  let textLimit: Int
  let megabytes: Int
  let alt: String
  let text: String
  let spoiler: String
  let visibilities: [Choice]
  let policies: [Choice]
  let sources: [Choice]
  let series: [Choice]
  let hasSeries: Bool
  let failure: String?
  /// A picture that is stored already and waits for its author's word.
  let picture: String?
  let preview: String?
  let decision: DecisionWords?
  let isRefused: Bool
}

/// What the form says, before anything is believed.
struct UploadForm {
  var alt = ""
  var text = ""
  var spoiler = ""
  var visibility = Visibility.everyone
  var policy: UsagePolicy.Preset?
  var sourceType: String?
  var series: Series.ID?

  init() {}

  init(_ parameters: RequestParameters) throws {
    alt = parameters["alt"] ?? ""
    // Browsers write line ends as CRLF.
    text = (parameters["text"] ?? "").replacing("\r\n", with: "\n")
    spoiler = parameters["spoiler"] ?? ""
    if let value = parameters["visibility"] {
      guard let chosen = Visibility(rawValue: value), chosen != .direct else { throw Problem.parameter("visibility") }
      visibility = chosen
    }
    if let value = parameters["policy"], value != "account" {
      guard let chosen = UsagePolicy.Preset(rawValue: value) else { throw Problem.parameter("policy") }
      policy = chosen
    }
    if let value = parameters["source"], !value.isEmpty {
      guard UploadForm.sources.contains(where: { $0.value == value }) else { throw Problem.parameter("source") }
      sourceType = value
    }
    series = try parameters.id("series")
  }

  static let sources: [(value: String, name: String, hint: String)] = [
    ("digitalCreation", "Made by hand", "Drawn or painted digitally"),
    ("digitalCapture", "Photograph or scan", "Of a work on paper, canvas, in clay"),
    ("compositeWithTrainedAlgorithmicMedia", "With the help of AI", "Parts were made with an image generator"),
    ("trainedAlgorithmicMedia", "Generated", "Made by an image generator"),
  ]
}

extension UsagePolicy.Preset {
  var name: String {
    switch self {
    case .noAI: "No use by AI"
    case .noGenAI: "No generative AI"
    case .researchOnly: "Research only"
    case .open: "Open to AI"
    }
  }
}

extension WebFace {
  func policyChoices(_ chosen: UsagePolicy.Preset?) -> [Choice] {
    UsagePolicy.Preset.allCases.map { preset in
      Choice(
        value: preset.rawValue, name: preset.name, hint: PolicyWords.summary(UsagePolicy(preset, basis: .explicit)),
        isChosen: preset == chosen)
    }
  }

  private func uploadPage(
    _ form: UploadForm, _ request: Request, _ context: FaceContext, failure: String? = nil,
    received: UploadOutcome? = nil
  ) async throws -> Response {
    let bearer = try context.requireBearer()
    let ownSeries = try await database.read { try $0.series(of: bearer.account.id, visibleTo: bearer.account.id) }
    let series = seriesChoices(ownSeries, chosen: form.series)
    let token = context.sessionSecret.map(formToken(sessionSecret:)) ?? ""
    let standing = PolicyWords(effectivePolicy(of: bearer.account, on: instance))
    let account = Choice(
      value: "account", name: "As for all my works", hint: "\(standing.headline). \(standing.chosenBy)",
      isChosen: form.policy == nil)
    let isRefused = received?.decision.verdict == .refuse
    let model = UploadPage(
      token: token, altLimit: Limits.altTextCharacters, textLimit: Limits.postCharacters,
      megabytes: Limits.upload >> 20, alt: form.alt, text: form.text, spoiler: form.spoiler,
      visibilities: [Visibility.everyone, .unlisted, .followers].map {
        Choice(value: $0.rawValue, name: WebFace.inWords($0), hint: "", isChosen: $0 == form.visibility)
      }, policies: [account] + policyChoices(form.policy),
      sources: UploadForm.sources.map {
        Choice(value: $0.value, name: $0.name, hint: $0.hint, isChosen: $0.value == form.sourceType)
      }, series: series, hasSeries: !series.isEmpty, failure: failure,
      picture: isRefused ? nil : received?.attachment.id.description,
      preview: received?.renditions.best(.medium).map { "/media/\($0.fileName)" },
      decision: received.map { DecisionWords($0.decision) }, isRefused: isRefused)
    let status: HTTPResponse.Status = failure != nil || isRefused ? .unprocessableContent : .ok
    let frame = frame("Show a work", context, policy: standardPolicy, isListed: false)
    return try page(
      "upload", model, frame, request, context, policy: standardPolicy, status: status, isPrivate: true)
  }

  @Sendable func uploadForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    var form = UploadForm()
    form.series = request.uri.queryParameters["series"].flatMap { Series.ID(String($0)) }
    return try await uploadPage(form, request, context)
  }

  /// Stores and decides the picture, then publishes. A flag is told to the author first, who publishes with it,
  /// appeals, or withdraws.
  @Sendable func upload(_ request: Request, _ context: FaceContext) async throws -> Response {
    let bearer = try context.requireBearer()
    let parameters = try await RequestParameters(reading: request, limit: Limits.uploadForm)
    try checkForm(parameters, request, context)
    let form = try UploadForm(parameters)
    do {
      var pictures: [Attachment.ID] = try parameters.ids("confirmed")
      if pictures.isEmpty {
        guard let file = parameters.files["picture"], !file.bytes.isEmpty else {
          return try await uploadPage(form, request, context, failure: "Choose a picture first.")
        }
        try limits.uploadsByAccount.spend("\(bearer.account.id)")
        let received = try await receive(upload(file, form), bearer.account)
        if [.label, .refuse].contains(received.decision.verdict) {
          return try await uploadPage(form, request, context, received: received)
        }
        pictures = [received.attachment.id]
      }
      let post = try await publish(form, pictures, by: bearer.account)
      return Response.seeOther(path(of: post, by: bearer.account))
    } catch let problem as Problem where problem.status == .unprocessableContent {
      return try await uploadPage(form, request, context, failure: problem.sentence)
    } catch let failure as OperationFailure where failure.kind == .invalid {
      return try await uploadPage(form, request, context, failure: failure.sentence)
    }
  }

  private func upload(_ file: RequestParameters.File, _ form: UploadForm) -> Upload {
    var upload = Upload(bytes: file.bytes, mediaType: file.mediaType)
    upload.altText = form.alt
    upload.usagePolicy = form.policy.map { UsagePolicy($0, basis: .explicit) }
    upload.digitalSourceType = form.sourceType
    return upload
  }

  private func publish(
    _ form: UploadForm, _ pictures: [Attachment.ID], by author: Account
  ) async throws -> Post {
    let instance = instance
    let context = context
    return try await database.write { tx in
      var draft = try tx.draft(of: form.text, on: instance)
      draft.spoiler = form.spoiler
      draft.visibility = form.visibility
      draft.attachments = pictures
      draft.seriesID = form.series
      draft.usagePolicy = form.policy.map { UsagePolicy($0, basis: .explicit) }
      return try tx.publish(draft, by: author, in: context)
    }
  }
}
