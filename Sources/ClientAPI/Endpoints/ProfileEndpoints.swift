import HTTPSupport
import HTTPTypes
import Hummingbird
import Media
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var profileRoutes: [Route] {
    [
      Route(
        .patch, "/api/v1/accounts/update_credentials", .scope("write:accounts"), limit: Limits.profileForm,
        bucket: .media, updateCredentials),
      Route(.get, "/api/v1/profile", .scope("read:accounts"), showProfile),
      Route(
        .patch, "/api/v1/profile", .scope("write:accounts"), limit: Limits.profileForm, bucket: .media, updateProfile),
      Route(.delete, "/api/v1/profile/avatar", .scope("write:accounts"), deleteAvatar),
      Route(.delete, "/api/v1/profile/header", .scope("write:accounts"), deleteHeader),
    ]
  }

  @Sendable func updateCredentials(_ call: Call) async throws -> Response {
    try await change(try await profileChange(call), call) { [self] bearer, _, tx in try credentials(of: bearer, tx) }
  }

  @Sendable func updateProfile(_ call: Call) async throws -> Response {
    try await change(try await profileChange(call), call) { [self] _, account, tx in try profile(of: account, tx) }
  }

  @Sendable func showProfile(_ call: Call) async throws -> Response {
    let id = try call.member().id
    return try await database.read { [self] tx in try profile(of: try tx.shownAccount(id), tx) }.response
  }

  @Sendable func deleteAvatar(_ call: Call) async throws -> Response {
    var change = ProfileChange()
    change.avatar = .some(nil)
    return try await self.change(change, call) { [self] bearer, _, tx in try credentials(of: bearer, tx) }
  }

  @Sendable func deleteHeader(_ call: Call) async throws -> Response {
    var change = ProfileChange()
    change.header = .some(nil)
    return try await self.change(change, call) { [self] bearer, _, tx in try credentials(of: bearer, tx) }
  }

  private func change(
    _ change: ProfileChange, _ call: Call,
    _ draw: @escaping @Sendable (Bearer, Account, any ReadTransaction) throws -> JSON
  ) async throws -> Response {
    guard let bearer = call.bearer else { throw Problem.unauthenticated }
    let context = context
    return try await database.write { tx in
      let account = try tx.changeProfile(of: bearer.account.id, by: change, in: context)
      return try draw(bearer, account, tx)
    }.response
  }

  private func profileChange(_ call: Call) async throws -> ProfileChange {
    let owner = try call.member()
    let parameters = call.parameters
    var change = ProfileChange()
    change.displayName = parameters["display_name"]
    change.note = parameters["note"]
    change.fields = try fields(parameters)
    change.isLocked = parameters.flag("locked")
    change.isBot = parameters.flag("bot")
    change.isDiscoverable = parameters.flag("discoverable")
    change.isIndexable = parameters.flag("indexable")
    if parameters.contains("attribution_domains") {
      change.attributionDomains = parameters.all("attribution_domains").filter { !$0.isEmpty }.map { $0.lowercased() }
    }
    if let privacy = parameters["source[privacy]"] {
      guard let visibility = Visibility(rawValue: privacy) else { throw Problem.parameter("source[privacy]") }
      change.visibility = visibility
    }
    change.isSensitive = parameters.flag("source[sensitive]")
    if let language = parameters["source[language]"] { change.language = language.isEmpty ? .some(nil) : language }
    change.avatar = try await portrait(parameters.files["avatar"], at: .avatar, of: owner)
    change.header = try await portrait(parameters.files["header"], at: .header, of: owner)
    return change
  }

  /// Nil when no picture was sent: then the one there is stays.
  private func portrait(
    _ file: RequestParameters.File?, at place: Portrait.Place, of owner: Account
  ) async throws -> Portrait?? {
    guard let file, !file.bytes.isEmpty else { return nil }
    let type = file.mediaType.prefix { $0 != ";" }.lowercased()
    let upload = Upload(bytes: file.bytes, mediaType: type.hasPrefix("image/") ? type : nil)
    return .some(try await portray(upload, place, owner))
  }

  /// `fields_attributes[0][name]`, `fields_attributes[][name]`, and a JSON list of objects: apps send all three. In the
  /// forms without a number a second `name` begins the next field.
  private func fields(_ parameters: RequestParameters) throws -> [ProfileField]? {
    let pairs = parameters.named("fields_attributes")
    guard !pairs.isEmpty else { return nil }
    var numbered: [Int: ProfileField] = [:]
    var listed: [(name: String?, value: String?)] = []
    for pair in pairs {
      let parts = pair.name.dropFirst("fields_attributes".count).split(separator: "[", omittingEmptySubsequences: true)
        .map { $0.filter { $0 != "]" } }
      guard let part = parts.last, part == "name" || part == "value" else { continue }
      if parts.count > 1, let place = Int(parts[0]), (0..<Limits.formFields).contains(place) {
        if part == "name" {
          numbered[place, default: ProfileField(name: "", value: "")].name = pair.value
        } else {
          numbered[place, default: ProfileField(name: "", value: "")].value = pair.value
        }
      } else if part == "name" {
        if let last = listed.last, last.name == nil {
          listed[listed.count - 1].name = pair.value
        } else {
          listed.append((pair.value, nil))
        }
      } else if let last = listed.last, last.value == nil {
        listed[listed.count - 1].value = pair.value
      } else {
        listed.append((nil, pair.value))
      }
    }
    return numbered.sorted { $0.key < $1.key }.map(\.value)
      + listed.map { ProfileField(name: $0.name ?? "", value: $0.value ?? "") }
  }

  private func profile(of account: Account, _ tx: any ReadTransaction) throws -> JSON {
    let tags = try tx.featuredTags(of: account.id).map { entities.featuredTag($0, of: account) }
    return entities.profile(account, tags: tags)
  }
}

extension Entities {
  /// What its owner edits: everything as typed.
  func profile(_ account: Account, tags: [JSON]) -> JSON {
    let drawn = self.account(account, counts: nil)
    return [
      "id": .string(account.id.description), "display_name": .string(account.displayName),
      "note": .string(account.noteSource), "fields": .array(account.details.fieldSources.map(field)),
      "avatar": account.avatar == nil ? .null : drawn["avatar"] ?? .null,
      "avatar_static": account.avatar == nil ? .null : drawn["avatar_static"] ?? .null, "avatar_description": "",
      "header": account.header == nil ? .null : drawn["header"] ?? .null,
      "header_static": account.header == nil ? .null : drawn["header_static"] ?? .null, "header_description": "",
      "locked": .bool(account.isLocked), "bot": .bool(account.kind == .service), "hide_collections": false,
      "discoverable": .bool(account.isDiscoverable), "indexable": .bool(account.isIndexable), "show_media": true,
      "show_media_replies": true, "show_featured": true,
      "attribution_domains": .array(account.details.attributionDomains.map { .string($0) }),
      "featured_tags": .array(tags),
    ]
  }
}

extension Limits {
  /// Both portraits and the fields beside them.
  package static let profileForm = 2 * portrait + (256 << 10)
}
