import Model
import Persistence
import Primitives
import Store

/// A keyword as its owner wrote it; one that names none of their keywords is new.
package struct KeywordChange: Hashable, Sendable {
  package var id: PostFilter.Keyword.ID?
  package var text: String?
  package var isWholeWord: Bool?
  package var isRemoved: Bool
  package init(id: PostFilter.Keyword.ID? = nil, text: String? = nil, isWholeWord: Bool? = nil, isRemoved: Bool = false)
  {
    self.id = id
    self.text = text
    self.isWholeWord = isWholeWord
    self.isRemoved = isRemoved
  }
}

extension WriteTransaction {
  package func makeFilter(
    _ filter: PostFilter, keywords: [KeywordChange], in context: OperationContext
  ) throws -> PostFilter {
    guard try filters(of: filter.ownerID).count < Limits.filters else {
      throw OperationFailure(.invalid, "filter.too_many", "Validation failed: You have reached the maximum of filters")
    }
    return try change(filter, keywords: keywords, in: context)
  }

  package func change(
    _ filter: PostFilter, keywords: [KeywordChange], in context: OperationContext
  ) throws -> PostFilter {
    guard (1...Limits.filterTitle).contains(filter.title.count), !filter.title.allSatisfy(\.isWhitespace) else {
      throw OperationFailure(.invalid, "filter.title", "Validation failed: Title can't be blank")
    }
    guard !filter.contexts.isEmpty else {
      throw OperationFailure(.invalid, "filter.context", "Validation failed: Context None or invalid context supplied")
    }
    try put(filter)
    for keyword in keywords { try change(keyword, in: filter, in: context) }
    try insertStreamEvent(.filters, filter.ownerID.rawValue)
    return try self.filter(filter.id, of: filter.ownerID) ?? filter
  }

  @discardableResult
  package func change(
    _ wanted: KeywordChange, in filter: PostFilter, in context: OperationContext
  ) throws -> PostFilter.Keyword? {
    let known = wanted.id.flatMap { id in filter.keywords.first { $0.id == id } }
    guard wanted.id == nil || known != nil else { throw OperationFailure.notFound }
    if wanted.isRemoved {
      if let known { try delete(filterKeyword: known.id) }
      return nil
    }
    let text = (wanted.text ?? known?.text ?? "").trimmed
    guard (1...Limits.filterKeyword).contains(text.unicodeScalars.count) else {
      throw OperationFailure(.invalid, "filter.keyword", "Validation failed: Keyword can't be blank")
    }
    if known == nil {
      let all = try filters(of: filter.ownerID).reduce(0) { $0 + $1.keywords.count }
      guard all < Limits.filterKeywords else {
        throw OperationFailure(
          .invalid, "filter.too_many_keywords", "Validation failed: You have reached the maximum of keywords")
      }
    }
    let keyword = PostFilter.Keyword(
      id: known?.id ?? context.ids.next(), text: text,
      isWholeWord: wanted.isWholeWord ?? known?.isWholeWord ?? false)
    try put(keyword, in: filter.id)
    try insertStreamEvent(.filters, filter.ownerID.rawValue)
    return keyword
  }

  package func add(_ post: Post, to filter: PostFilter, in context: OperationContext) throws -> PostFilter.Entry {
    if let known = filter.posts.first(where: { $0.postID == post.id }) { return known }
    guard filter.posts.count < Limits.filterPosts else {
      throw OperationFailure(.invalid, "filter.too_many_posts", "Validation failed: This filter is full")
    }
    let entry = PostFilter.Entry(id: context.ids.next(), postID: post.id)
    try insert(entry, in: filter.id)
    try insertStreamEvent(.filters, filter.ownerID.rawValue)
    return entry
  }

  package func end(_ filter: PostFilter) throws {
    try delete(filter)
    try insertStreamEvent(.filters, filter.ownerID.rawValue)
  }

  package func remove(_ keyword: PostFilter.Keyword, from filter: PostFilter) throws {
    try delete(filterKeyword: keyword.id)
    try insertStreamEvent(.filters, filter.ownerID.rawValue)
  }

  package func remove(_ entry: PostFilter.Entry, from filter: PostFilter) throws {
    try delete(filterEntry: entry.id)
    try insertStreamEvent(.filters, filter.ownerID.rawValue)
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
