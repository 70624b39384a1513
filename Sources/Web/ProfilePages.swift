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

private struct ProfilePage {
  struct Field {
    let place: Int
    let number: Int
    let name: String
    let value: String
    let limit: Int
  }
  struct ShownTag {
    let id: String
    let name: String
    let path: String
    let token: String
  }
  let token: String
  let name: String
  let note: String
  let avatar: String?
  let header: String?
  let megabytes: Int
  let fields: [Field]
  let isLocked: Bool
  let isDiscoverable: Bool
  let isIndexable: Bool
  let isBot: Bool
  let domains: String
  let nameLimit: Int
  let noteLimit: Int
  let tags: [ShownTag]
  let hasTags: Bool
  let failure: String?
  let isSaved: Bool
}

extension WebFace {
  /// Pages of what people show of themselves and keep from each other.
  func addPeopleRoutes(to pages: RouterGroup<FaceContext>) {
    pages.get("/settings/profile", use: profileForm)
    pages.post("/settings/profile", use: changeProfile)
    pages.post("/settings/profile/tags", use: changeTags)
    pages.post("/settings/pins/:id", use: changePin)
  }

  private func profilePage(
    _ request: Request, _ context: FaceContext, change: ProfileChange = ProfileChange(), failure: String? = nil
  ) async throws -> Response {
    let id = try context.requireBearer().account.id
    let found = try await database.read { tx in (try tx.account(id), try tx.featuredTags(of: id)) }
    guard let account = found.0 else { throw Problem.notFound }
    let token = context.sessionSecret.map(formToken(sessionSecret:)) ?? ""
    let written = change.fields ?? account.details.fieldSources
    let fields = (0..<Limits.profileFields).map { place in
      let field = place < written.count ? written[place] : ProfileField(name: "", value: "")
      return ProfilePage.Field(
        place: place, number: place + 1, name: field.name, value: field.value, limit: Limits.fieldCharacters)
    }
    let model = ProfilePage(
      token: token, name: change.displayName ?? account.displayName, note: change.note ?? account.noteSource,
      avatar: account.avatar.map { "/media/\($0.fileName)" }, header: account.header.map { "/media/\($0.fileName)" },
      megabytes: Limits.portrait >> 20, fields: fields, isLocked: change.isLocked ?? account.isLocked,
      isDiscoverable: change.isDiscoverable ?? account.isDiscoverable,
      isIndexable: change.isIndexable ?? account.isIndexable, isBot: change.isBot ?? (account.kind == .service),
      domains: (change.attributionDomains ?? account.details.attributionDomains).joined(separator: "\n"),
      nameLimit: Limits.displayNameCharacters, noteLimit: Limits.noteCharacters,
      tags: found.1.map {
        .init(id: $0.id.description, name: $0.name, path: "/tags/\(percentEncoded($0.tag))", token: token)
      }, hasTags: !found.1.isEmpty, failure: failure, isSaved: request.uri.queryParameters["saved"] != nil)
    let frame = frame("My profile", context, policy: standardPolicy, isListed: false)
    return try page(
      "profile", model, frame, request, context, policy: standardPolicy,
      status: failure == nil ? .ok : .unprocessableContent, isPrivate: true)
  }

  @Sendable func profileForm(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    return try await profilePage(request, context)
  }

  @Sendable func changeProfile(_ request: Request, _ context: FaceContext) async throws -> Response {
    let owner = try context.requireBearer().account
    let parameters = try await RequestParameters(reading: request, limit: 2 * Limits.portrait + Limits.smallForm)
    try checkForm(parameters, request, context)
    var change = ProfileForm.change(parameters)
    let now = self.context
    do {
      change.avatar = try await portrait(parameters, at: .avatar, of: owner)
      change.header = try await portrait(parameters, at: .header, of: owner)
      let wanted = change
      _ = try await database.write { try $0.changeProfile(of: owner.id, by: wanted, in: now) }
    } catch let failure as OperationFailure where failure.kind == .invalid {
      return try await profilePage(request, context, change: change, failure: failure.sentence)
    }
    return Response.seeOther("/settings/profile?saved=1")
  }

  private func portrait(
    _ parameters: RequestParameters, at place: Portrait.Place, of owner: Account
  ) async throws -> Portrait?? {
    if let file = parameters.files[place.rawValue], !file.bytes.isEmpty {
      try limits.uploadsByAccount.spend("\(owner.id)")
      let type = file.mediaType.hasPrefix("image/") ? file.mediaType : nil
      return .some(try await portray(Upload(bytes: file.bytes, mediaType: type), place, owner))
    }
    return parameters.flag("no_\(place.rawValue)") == true ? .some(nil) : nil
  }

  @Sendable func changeTags(_ request: Request, _ context: FaceContext) async throws -> Response {
    let owner = try context.requireBearer().account
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let gone: FeaturedTag.ID? = try parameters.id("remove")
    let name = String((parameters["name"] ?? "").prefix(512)).filter { !$0.isWhitespace }
    let change = self.context
    do {
      try await database.write { tx in
        if let gone { try tx.unfeature(gone, by: owner) } else { _ = try tx.feature(name, by: owner, in: change) }
      }
    } catch let failure as OperationFailure where failure.kind == .invalid {
      return try await profilePage(request, context, failure: failure.sentence)
    }
    return Response.seeOther("/settings/profile?saved=1")
  }

  @Sendable func changePin(_ request: Request, _ context: FaceContext) async throws -> Response {
    let owner = try context.requireBearer().account
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let id = context.parameters.get("id").flatMap({ Post.ID($0) }) else { throw Problem.notFound }
    let isPin = parameters["act"] == "pin"
    let change = self.context
    try await database.write { tx in
      guard let post = try tx.post(id), post.authorID == owner.id else { throw OperationFailure.notFound }
      if isPin { try tx.pin(post, by: owner, in: change) } else { try tx.unpin(post, by: owner, in: change) }
    }
    return Response.seeOther(path(of: owner))
  }
}

/// What the form of a profile says. A box that is not ticked is not sent, so every one of them is an answer.
private enum ProfileForm {
  static func change(_ parameters: RequestParameters) -> ProfileChange {
    var change = ProfileChange()
    change.displayName = parameters["display_name"]
    change.note = parameters["note"]?.replacing("\r\n", with: "\n")
    change.fields = (0..<Limits.profileFields).compactMap { place in
      let name = parameters["fields_attributes[\(place)][name]"] ?? ""
      let value = parameters["fields_attributes[\(place)][value]"] ?? ""
      return name.isEmpty && value.isEmpty ? nil : ProfileField(name: name, value: value)
    }
    change.isLocked = parameters.flag("locked") ?? false
    change.isDiscoverable = parameters.flag("discoverable") ?? false
    change.isIndexable = parameters.flag("indexable") ?? false
    change.isBot = parameters.flag("bot") ?? false
    change.attributionDomains = (parameters["domains"] ?? "").split(whereSeparator: \.isWhitespace)
      .map { $0.lowercased() }
    return change
  }
}
