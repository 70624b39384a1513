import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

extension ClientAPI {
  @Sendable func createStatus(_ call: Call) async throws -> Response {
    let author = try call.member()
    let parameters = call.parameters
    var draft = try await composed(parameters["status"] ?? "")
    draft.spoiler = parameters["spoiler_text"] ?? ""
    let defaults = try await database.read { try $0.postingDefaults(of: author.id) }
    draft.isSensitive = parameters.flag("sensitive") ?? defaults.isSensitive
    draft.language = try language(parameters) ?? defaults.language
    draft.visibility = try visibility(parameters) ?? defaults.visibility
    draft.attachments = try parameters.ids("media_ids")
    draft.usagePolicy = try usagePolicy(parameters)
    draft.seriesID = try parameters.id("series_id")
    draft.poll = try poll(parameters)
    draft.idempotencyKey = try idempotencyKey(call)
    draft.interaction = try interaction(parameters)
    let parent: Post.ID? = try parameters.id("in_reply_to_id")
    let quoted: Post.ID? = try parameters.id("quoted_status_id")
    if let time = parameters["scheduled_at"], !time.isEmpty {
      guard let due = Timestamp(iso8601: time) else { throw Problem.parameter("scheduled_at") }
      return try await schedule(draft, answering: parent, quoting: quoted, at: due, by: author)
    }
    let written = draft
    let context = context
    return try await database.write { [self] tx in
      var draft = written
      draft.inReplyTo = try parent.map { try tx.shownPost($0, to: author.id) }
      draft.quoting = try quoted.map { try tx.shownPost($0, to: author.id) }
      let post = try tx.publish(draft, by: author, in: context)
      return try draw(try tx.post(post.id) ?? post, for: call, tx)
    }.workResponse
  }

  /// What a request does not name stays as it is; Mastodon drops the pictures of an edit that lists none, and a
  /// gallery must not lose works to a client that only sends the text.
  @Sendable func editStatus(_ call: Call) async throws -> Response {
    let author = try call.member()
    let id: Post.ID = try call.id()
    let parameters = call.parameters
    let post = try await database.read { tx in
      guard let post = try tx.post(id), post.authorID == author.id, post.boostOfID == nil else {
        throw Problem.notFound
      }
      return post
    }
    var draft = try await composed(parameters["status"] ?? post.text)
    draft.spoiler = parameters["spoiler_text"] ?? post.spoiler
    draft.isSensitive = parameters.flag("sensitive") ?? post.isSensitive
    draft.language = try language(parameters) ?? post.language
    draft.visibility = post.visibility
    draft.usagePolicy = try usagePolicy(parameters)
    draft.seriesID = try parameters.id("series_id")
    draft.poll = try poll(parameters)
    draft.interaction = try interaction(parameters)
    let named: [Attachment.ID]? = parameters.contains("media_ids") ? try parameters.ids("media_ids") : nil
    let descriptions = try mediaDescriptions(parameters)
    let written = draft
    let context = context
    return try await database.write { [self] tx in
      guard let post = try tx.post(id) else { throw Problem.notFound }
      var draft = written
      let pictures = try tx.attachments(of: [id])[id, default: []]
      draft.attachments = named ?? pictures.map(\.id)
      let altTexts = try described(pictures, descriptions, tx)
      if var interaction = written.interaction {
        interaction = interaction.filled(from: post.interaction ?? InteractionPolicy())
        draft.interaction = interaction
      }
      let edited = try tx.edit(post, to: draft, altTexts: altTexts, by: author, in: context)
      return try draw(edited, for: call, tx)
    }.workResponse
  }

  /// A client that edits a post sends back every description it was given, and a placeholder's is ours, not the
  /// artist's.
  private func described(
    _ pictures: [Attachment], _ descriptions: [Attachment.ID: String], _ tx: any ReadTransaction
  ) throws -> [Attachment.ID: String] {
    guard !descriptions.isEmpty else { return [:] }
    let decisions = try tx.decisions(on: pictures.map(\.id))
    let placeholders = Dictionary(
      pictures.map { ($0.id, entities.placeholderText($0, decisions[$0.id])) }, uniquingKeysWith: { first, _ in first })
    return descriptions.filter { placeholders[$0.key] != $0.value }
  }

  /// The text as a draft, once everybody it mentions has been looked for where they live. A mention that can not be
  /// found stays text; the post is not lost for it.
  private func composed(_ text: String) async throws -> PostDraft {
    let instance = instance
    let lookup = lookup
    let unknown = try await database.read { try $0.unknownMentions(in: text, on: instance) }
    await withTaskGroup(of: Void.self) { group in
      for handle in unknown.prefix(Limits.lookupsPerPost) {
        group.addTask {
          do { _ = try await lookup.resolve("@\(handle)") } catch { return }
        }
      }
    }
    return try await database.read { try $0.draft(of: text, on: instance) }
  }
}

extension ClientAPI {
  private func visibility(_ parameters: RequestParameters) throws -> Visibility? {
    guard let text = parameters["visibility"], !text.isEmpty else { return nil }
    guard let visibility = Visibility(rawValue: text) else { throw Problem.parameter("visibility") }
    return visibility
  }

  /// A language tag such as `de` or `zh-Hant`; it becomes an attribute of pages.
  private func language(_ parameters: RequestParameters) throws -> String? {
    guard let tag = parameters["language"], !tag.isEmpty else { return nil }
    let parts = tag.split(separator: "-", omittingEmptySubsequences: false)
    guard tag.utf8.count <= 35, let first = parts.first, (2...3).contains(first.utf8.count),
      parts.allSatisfy({ part in
        (1...8).contains(part.utf8.count)
          && part.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
      })
    else { throw Problem.parameter("language") }
    return tag
  }

  /// Our own addition: `usage_policy`, the name of a preset.
  func usagePolicy(_ parameters: RequestParameters) throws -> UsagePolicy? {
    guard let name = parameters["usage_policy"], !name.isEmpty else { return nil }
    guard let preset = UsagePolicy.Preset(rawValue: name) else { throw Problem.parameter("usage_policy") }
    return UsagePolicy(preset, basis: .explicit)
  }

  private func idempotencyKey(_ call: Call) throws -> String? {
    guard let key = call.request.headers[.idempotencyKey], !key.isEmpty else { return nil }
    guard key.utf8.count <= Limits.idempotencyKeyBytes else { throw Problem.parameter("Idempotency-Key") }
    return key
  }

  /// `media_attributes[]{id, description}`.
  private func mediaDescriptions(_ parameters: RequestParameters) throws -> [Attachment.ID: String] {
    var descriptions: [Attachment.ID: String] = [:]
    for entry in parameters.records("media_attributes") {
      guard let id = entry["id"].flatMap({ Attachment.ID($0) }) else { throw Problem.parameter("media_attributes") }
      guard let description = entry["description"] else { continue }
      guard description.unicodeScalars.count <= Limits.altTextCharacters else {
        throw Problem.parameter("media_attributes")
      }
      descriptions[id] = description
    }
    return descriptions
  }
}
