import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

/// The first version of filters, where each keyword is one: older apps and Mastodon.py read it. Deprecated at its
/// source, so it says no more than it has to.
extension ClientAPI {
  @Sendable func oldFilters(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    return try await database.read { [self] tx in
      JSON.array(
        try tx.filters(of: owner).flatMap { filter in filter.keywords.map { entities.oldFilter(filter, $0) } })
    }.response
  }

  @Sendable func showOldFilter(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.Keyword.ID = try call.id()
    return try await database.read { [self] tx in
      let (filter, keyword) = try tx.ownKeyword(id, of: owner)
      return entities.oldFilter(filter, keyword)
    }.response
  }

  private func contexts(_ parameters: RequestParameters) throws -> [PostFilter.Context] {
    try parameters.all("context").map { text in
      guard let context = PostFilter.Context(rawValue: text) else { throw Problem.parameter("context") }
      return context
    }
  }

  @Sendable func makeOldFilter(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let parameters = call.parameters
    guard let phrase = parameters["phrase"] else { throw Problem.parameter("phrase") }
    var filter = PostFilter(
      id: ids.next(), ownerID: owner, title: String(phrase.prefix(Limits.filterTitle)),
      contexts: try contexts(parameters), action: parameters.flag("irreversible") == true ? .hide : .warn)
    filter.expiresAt = try parameters.integer("expires_in").map {
      self.context.now.adding(.seconds(min(max(0, $0), Int(Int32.max))))
    }
    let keyword = KeywordChange(text: phrase, isWholeWord: parameters.flag("whole_word") ?? true)
    let (made, context) = (filter, context)
    return try await database.write { [self] tx in
      let filter = try tx.makeFilter(made, keywords: [keyword], in: context)
      guard let keyword = filter.keywords.first else { throw Problem.notFound }
      return entities.oldFilter(filter, keyword)
    }.response
  }

  @Sendable func changeOldFilter(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.Keyword.ID = try call.id()
    let parameters = call.parameters
    let contexts = try contexts(parameters)
    let context = context
    return try await database.write { [self] tx in
      var (filter, _) = try tx.ownKeyword(id, of: owner)
      if !contexts.isEmpty { filter.contexts = contexts }
      if let hides = parameters.flag("irreversible") { filter.action = hides ? .hide : .warn }
      let wanted = KeywordChange(id: id, text: parameters["phrase"], isWholeWord: parameters.flag("whole_word"))
      _ = try tx.change(filter, keywords: [wanted], in: context)
      let (changed, keyword) = try tx.ownKeyword(id, of: owner)
      return entities.oldFilter(changed, keyword)
    }.response
  }

  @Sendable func endOldFilter(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.Keyword.ID = try call.id()
    try await database.write { tx in
      let (filter, keyword) = try tx.ownKeyword(id, of: owner)
      let isLast = filter.keywords.count == 1 && filter.posts.isEmpty
      if isLast { try tx.end(filter) } else { try tx.remove(keyword, from: filter) }
    }
    return .json([:])
  }
}

extension Entities {
  func oldFilter(_ filter: PostFilter, _ keyword: PostFilter.Keyword) -> JSON {
    [
      "id": .string(keyword.id.description), "phrase": .string(keyword.text),
      "context": .array(filter.contexts.map { .string($0.rawValue) }),
      "whole_word": .bool(keyword.isWholeWord), "expires_at": .text(filter.expiresAt?.iso8601),
      "irreversible": .bool(filter.action == .hide),
    ]
  }
}
