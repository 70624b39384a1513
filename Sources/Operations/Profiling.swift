import Markup
import Model
import Persistence
import Primitives
import Store

/// What somebody changes about how they are shown. What is nil stays.
package struct ProfileChange: Sendable {
  package var displayName: String?
  package var note: String?
  package var fields: [ProfileField]?
  package var isLocked: Bool?
  package var isBot: Bool?
  package var isDiscoverable: Bool?
  package var isIndexable: Bool?
  package var attributionDomains: [String]?
  /// `.some(nil)` takes the picture away.
  package var avatar: Portrait??
  package var header: Portrait??
  package var visibility: Visibility?
  package var isSensitive: Bool?
  /// `.some(nil)` is no language.
  package var language: String??
  package init() {}
}

extension WriteTransaction {
  /// Changes a profile here and tells everybody who holds a copy, unless nothing they see has changed.
  package func changeProfile(
    of id: Account.ID, by change: ProfileChange, in context: OperationContext
  ) throws -> Account {
    guard var account = try account(id), account.isLocal, account.suspendedAt == nil else {
      throw OperationFailure.notFound
    }
    try change.check()
    let before = account
    try apply(change, to: &account, on: context.instance)
    if change.visibility != nil || change.isSensitive != nil || change.language != nil {
      var defaults = try postingDefaults(of: id)
      defaults.visibility = change.visibility ?? defaults.visibility
      defaults.isSensitive = change.isSensitive ?? defaults.isSensitive
      if let language = change.language { defaults.language = language }
      try set(defaults, of: id)
    }
    guard account != before else { return account }
    try updateProfile(account, in: context)
    try discardPortraits(before, keeping: account, in: context)
    return account
  }

  private func apply(_ change: ProfileChange, to account: inout Account, on instance: Instance) throws {
    account.displayName = change.displayName.map { displayName($0) } ?? account.displayName
    if let note = change.note {
      account.noteSource = note
      account.note = try draft(of: note, on: instance).content
    }
    if let fields = change.fields {
      let kept = fields.filter { !$0.name.allSatisfy(\.isWhitespace) }
      account.details.fieldSources = kept
      account.fields = kept.map { ProfileField(name: displayName($0.name), value: $0.markup(on: instance)) }
    }
    account.isLocked = change.isLocked ?? account.isLocked
    if let isBot = change.isBot, account.kind == .person || account.kind == .service {
      account.kind = isBot ? .service : .person
    }
    account.isDiscoverable = change.isDiscoverable ?? account.isDiscoverable
    account.isIndexable = change.isIndexable ?? account.isIndexable
    account.details.attributionDomains = change.attributionDomains ?? account.details.attributionDomains
    if let avatar = change.avatar { account.avatar = avatar }
    if let header = change.header { account.header = header }
  }

  /// Files that showed somebody before are swept once no row points to them.
  func discardPortraits(_ before: Account, keeping after: Account, in context: OperationContext) throws {
    let kept = [after.avatar, after.header].compactMap { $0?.digest }
    let gone = [before.avatar, before.header].compactMap { $0?.digest }.filter { !kept.contains($0) }
    guard !gone.isEmpty else { return }
    try enqueue(.discardFiles(gone), id: context.ids.next(), at: context.now)
  }

  /// A picture of a remote account was fetched, or can not be shown: then nothing stands for it.
  package func receivePortrait(
    _ portrait: Portrait?, at place: Portrait.Place, of id: Account.ID, from url: IRI, in context: OperationContext
  ) throws {
    guard let before = try account(id) else { return }
    try setPortrait(portrait, at: place, of: id, from: url)
    guard let after = try account(id) else { return }
    try discardPortraits(before, keeping: after, in: context)
  }

  package func feature(_ name: String, by account: Account, in context: OperationContext) throws -> FeaturedTag {
    let bare = name.hasPrefix("#") ? String(name.dropFirst()) : name
    let tag = normalizedHashtag(bare)
    let known = try featuredTags(of: account.id)
    if let same = known.first(where: { $0.tag == tag }) { return same }
    guard !tag.isEmpty, tag.count <= Limits.hashtagCharacters, isTag(tag, on: context.instance) else {
      throw OperationFailure(.invalid, "tag.invalid", "Validation failed: Tag is invalid")
    }
    guard known.count < Limits.featuredTags else {
      throw OperationFailure(
        .invalid, "tag.too_many", "Validation failed: You have already featured the maximum number of hashtags")
    }
    _ = try insert(FeaturedTag(id: context.ids.next(), accountID: account.id, tag: tag, name: bare))
    return try featuredTags(of: account.id).first { $0.tag == tag }
      ?? FeaturedTag(
        id: context.ids.next(), accountID: account.id, tag: tag, name: bare)
  }

  package func unfeature(_ id: FeaturedTag.ID, by account: Account) throws {
    guard let tag = try featuredTags(of: account.id).first(where: { $0.id == id }) else {
      throw OperationFailure.notFound
    }
    try delete(tag)
  }

  package func unfeature(_ name: String, by account: Account) throws {
    let tag = normalizedHashtag(name)
    for featured in try featuredTags(of: account.id) where featured.tag == tag { try delete(featured) }
  }

  private func isTag(_ tag: String, on instance: Instance) -> Bool {
    compose(text: "#\(tag)", hashtagPage: instance.tagPages).hashtags == [tag]
  }
}

extension ProfileChange {
  func check() throws {
    func refuse(_ code: String, _ sentence: String) -> OperationFailure {
      OperationFailure(.invalid, code, "Validation failed: \(sentence)")
    }
    if let displayName, displayName.unicodeScalars.count > Limits.displayNameCharacters {
      throw refuse("profile.name_too_long", "A name has at most \(Limits.displayNameCharacters) characters")
    }
    if let note, note.unicodeScalars.count > Limits.noteCharacters {
      throw refuse("profile.note_too_long", "A biography has at most \(Limits.noteCharacters) characters")
    }
    if let fields {
      guard fields.count <= Limits.profileFields else {
        throw refuse("profile.too_many_fields", "A profile has at most \(Limits.profileFields) fields")
      }
      let longest = fields.flatMap { [$0.name.unicodeScalars.count, $0.value.unicodeScalars.count] }.max() ?? 0
      guard longest <= Limits.fieldCharacters else {
        throw refuse("profile.field_too_long", "A field has at most \(Limits.fieldCharacters) characters")
      }
    }
    if let attributionDomains {
      guard attributionDomains.count <= Limits.attributionDomains, attributionDomains.allSatisfy({ Host($0) != nil })
      else { throw refuse("profile.attribution_domains", "Attribution domains are invalid") }
    }
    if case .some(.some(let language)) = language, !isLanguageTag(language) {
      throw refuse("profile.language", "Language is invalid")
    }
  }
}

extension ProfileField {
  /// A link of an owner's profile says `rel="me"`: the page it leads to may say the same back.
  func markup(on instance: Instance) -> String {
    let text = value.split(whereSeparator: \.isWhitespace)
    if text.count == 1, let iri = IRI(String(text[0])) {
      let address = escapedAttribute(iri.text)
      return sanitize("<a href=\"\(address)\" rel=\"me\">\(escapedText(iri.text))</a>", links: .profile).html
    }
    let composed = compose(text: value, hashtagPage: instance.tagPages).html.html
    // One line of a table: no paragraph around it.
    guard composed.hasPrefix("<p>"), composed.hasSuffix("</p>"), !composed.dropFirst(3).contains("<p>") else {
      return composed
    }
    return String(composed.dropFirst(3).dropLast(4))
  }
}

extension Limits {
  package static let displayNameCharacters = 60
  package static let noteCharacters = 2_000
  package static let profileFields = 6
  package static let fieldCharacters = 255
  package static let attributionDomains = 100
  package static let featuredTags = 10
  /// One portrait as it is sent (Mastodon's AVATAR_LIMIT) or fetched.
  package static let portrait = 8 << 20
}
