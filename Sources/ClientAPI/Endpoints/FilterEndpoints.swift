import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  var filterRoutes: [Route] {
    [
      Route(.get, "/api/v2/filters", .scope("read:filters"), filters),
      Route(.post, "/api/v2/filters", .scope("write:filters"), makeFilter),
      Route(.get, "/api/v2/filters/:id", .scope("read:filters"), showFilter),
      Route(.put, "/api/v2/filters/:id", .scope("write:filters"), changeFilter),
      Route(.delete, "/api/v2/filters/:id", .scope("write:filters"), endFilter),
      Route(.get, "/api/v2/filters/:id/keywords", .scope("read:filters"), filterKeywords),
      Route(.post, "/api/v2/filters/:id/keywords", .scope("write:filters"), addFilterKeyword),
      Route(.get, "/api/v2/filters/keywords/:id", .scope("read:filters"), showFilterKeyword),
      Route(.put, "/api/v2/filters/keywords/:id", .scope("write:filters"), changeFilterKeyword),
      Route(.delete, "/api/v2/filters/keywords/:id", .scope("write:filters"), removeFilterKeyword),
      Route(.get, "/api/v2/filters/:id/statuses", .scope("read:filters"), filterStatuses),
      Route(.post, "/api/v2/filters/:id/statuses", .scope("write:filters"), addFilterStatus),
      Route(.get, "/api/v2/filters/statuses/:id", .scope("read:filters"), showFilterStatus),
      Route(.delete, "/api/v2/filters/statuses/:id", .scope("write:filters"), removeFilterStatus),
      Route(.get, "/api/v1/filters", .scope("read:filters"), oldFilters),
      Route(.post, "/api/v1/filters", .scope("write:filters"), makeOldFilter),
      Route(.get, "/api/v1/filters/:id", .scope("read:filters"), showOldFilter),
      Route(.put, "/api/v1/filters/:id", .scope("write:filters"), changeOldFilter),
      Route(.delete, "/api/v1/filters/:id", .scope("write:filters"), endOldFilter),
    ]
  }

  @Sendable func filters(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    return try await database.read { [self] tx in JSON.array(try tx.filters(of: owner).map(entities.filter)) }.response
  }

  @Sendable func showFilter(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.ID = try call.id()
    return try await database.read { [self] tx in entities.filter(try tx.ownFilter(id, of: owner)) }.response
  }

  @Sendable func makeFilter(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    var filter = PostFilter(id: ids.next(), ownerID: owner, title: "", contexts: [])
    try read(call.parameters, into: &filter)
    let keywords = try keywordChanges(call.parameters)
    let (made, context) = (filter, context)
    return try await database.write { [self] tx in
      entities.filter(try tx.makeFilter(made, keywords: keywords, in: context))
    }.response
  }

  @Sendable func changeFilter(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.ID = try call.id()
    let keywords = try keywordChanges(call.parameters)
    let context = context
    return try await database.write { [self] tx in
      var filter = try tx.ownFilter(id, of: owner)
      try read(call.parameters, into: &filter)
      return entities.filter(try tx.change(filter, keywords: keywords, in: context))
    }.response
  }

  @Sendable func endFilter(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.ID = try call.id()
    try await database.write { try $0.end($0.ownFilter(id, of: owner)) }
    return .json([:])
  }

  /// `expires_in` in seconds; an empty one makes it last for ever.
  private func read(_ parameters: RequestParameters, into filter: inout PostFilter) throws {
    filter.title = parameters["title"] ?? filter.title
    if parameters.contains("context") {
      filter.contexts = try parameters.all("context").filter { !$0.isEmpty }.map { text in
        guard let context = PostFilter.Context(rawValue: text) else { throw Problem.parameter("context") }
        return context
      }
    }
    if let text = parameters["filter_action"], !text.isEmpty {
      guard let action = PostFilter.Action(rawValue: text) else { throw Problem.parameter("filter_action") }
      filter.action = action
    }
    if let text = parameters["expires_in"] {
      let seconds = text.isEmpty ? nil : try parameters.integer("expires_in")
      filter.expiresAt = seconds.map { context.now.adding(.seconds(min(max(0, $0), Int(Int32.max)))) }
    }
  }

  private func keywordChanges(_ parameters: RequestParameters) throws -> [KeywordChange] {
    try parameters.records("keywords_attributes").map { record in
      let id = try record["id"].flatMap { text -> PostFilter.Keyword.ID? in
        guard !text.isEmpty else { return nil }
        guard let id = PostFilter.Keyword.ID(text) else { throw Problem.parameter("keywords_attributes") }
        return id
      }
      return KeywordChange(
        id: id, text: record["keyword"], isWholeWord: record["whole_word"].map(RequestParameters.isTrue),
        isRemoved: record["_destroy"].map(RequestParameters.isTrue) ?? false)
    }
  }

  @Sendable func filterKeywords(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.ID = try call.id()
    return try await database.read { [self] tx in
      JSON.array(try tx.ownFilter(id, of: owner).keywords.map(entities.keyword))
    }.response
  }

  @Sendable func addFilterKeyword(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.ID = try call.id()
    let wanted = KeywordChange(text: call.parameters["keyword"], isWholeWord: call.parameters.flag("whole_word"))
    let context = context
    return try await database.write { [self] tx in
      guard let keyword = try tx.change(wanted, in: tx.ownFilter(id, of: owner), in: context) else {
        throw Problem.notFound
      }
      return entities.keyword(keyword)
    }.response
  }

  @Sendable func showFilterKeyword(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.Keyword.ID = try call.id()
    return try await database.read { [self] tx in entities.keyword(try tx.ownKeyword(id, of: owner).keyword) }.response
  }

  @Sendable func changeFilterKeyword(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.Keyword.ID = try call.id()
    let wanted = KeywordChange(
      id: id, text: call.parameters["keyword"], isWholeWord: call.parameters.flag("whole_word"))
    let context = context
    return try await database.write { [self] tx in
      guard let keyword = try tx.change(wanted, in: tx.ownKeyword(id, of: owner).filter, in: context) else {
        throw Problem.notFound
      }
      return entities.keyword(keyword)
    }.response
  }

  @Sendable func removeFilterKeyword(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.Keyword.ID = try call.id()
    try await database.write { tx in
      let (filter, keyword) = try tx.ownKeyword(id, of: owner)
      try tx.remove(keyword, from: filter)
    }
    return .json([:])
  }

  @Sendable func filterStatuses(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.ID = try call.id()
    return try await database.read { [self] tx in
      JSON.array(try tx.ownFilter(id, of: owner).posts.map(entities.filterEntry))
    }.response
  }

  @Sendable func addFilterStatus(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.ID = try call.id()
    guard let postID: Post.ID = try call.parameters.id("status_id") else { throw Problem.parameter("status_id") }
    let context = context
    return try await database.write { [self] tx in
      let filter = try tx.ownFilter(id, of: owner)
      return entities.filterEntry(try tx.add(try tx.shownPost(postID, to: owner), to: filter, in: context))
    }.response
  }

  @Sendable func showFilterStatus(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.Entry.ID = try call.id()
    return try await database.read { [self] tx in entities.filterEntry(try tx.ownEntry(id, of: owner).entry) }.response
  }

  @Sendable func removeFilterStatus(_ call: Call) async throws -> Response {
    let owner = try call.member().id
    let id: PostFilter.Entry.ID = try call.id()
    try await database.write { tx in
      let (filter, entry) = try tx.ownEntry(id, of: owner)
      try tx.remove(entry, from: filter)
    }
    return .json([:])
  }
}

extension ReadTransaction {
  fileprivate func ownFilter(_ id: PostFilter.ID, of owner: Account.ID) throws -> PostFilter {
    guard let filter = try filter(id, of: owner) else { throw Problem.notFound }
    return filter
  }

  func ownKeyword(
    _ id: PostFilter.Keyword.ID, of owner: Account.ID
  ) throws -> (filter: PostFilter, keyword: PostFilter.Keyword) {
    guard let filter = try filter(withKeyword: id, of: owner),
      let keyword = filter.keywords.first(where: { $0.id == id })
    else { throw Problem.notFound }
    return (filter, keyword)
  }

  fileprivate func ownEntry(
    _ id: PostFilter.Entry.ID, of owner: Account.ID
  ) throws -> (filter: PostFilter, entry: PostFilter.Entry) {
    guard let filter = try filter(withEntry: id, of: owner), let entry = filter.posts.first(where: { $0.id == id })
    else { throw Problem.notFound }
    return (filter, entry)
  }
}

extension Entities {
  func filter(_ filter: PostFilter) -> JSON {
    [
      "id": .string(filter.id.description), "title": .string(filter.title),
      "context": .array(filter.contexts.map { .string($0.rawValue) }),
      "expires_at": .text(filter.expiresAt?.iso8601), "filter_action": .string(filter.action.rawValue),
      "keywords": .array(filter.keywords.map(keyword)), "statuses": .array(filter.posts.map(filterEntry)),
    ]
  }

  func keyword(_ keyword: PostFilter.Keyword) -> JSON {
    [
      "id": .string(keyword.id.description), "keyword": .string(keyword.text), "whole_word": .bool(keyword.isWholeWord),
    ]
  }

  func filterEntry(_ entry: PostFilter.Entry) -> JSON {
    ["id": .string(entry.id.description), "status_id": .string(entry.postID.description)]
  }
}
