import HTTPSupport
import HTTPTypes
import Hummingbird
import Markup
import Model
import Persistence
import Policy
import Primitives
import Store

/// What is known against a copy, said to people.
struct CopyWords {
  let heading: String
  let sentence: String

  init(_ mark: CopyMark) {
    switch mark.state {
    case .unverified:
      heading = "Not verified"
      sentence =
        "The artist's server signs works, and this copy came without a signature that holds. What it says of AI is the "
        + "word of whoever sent it."
    case .altered:
      heading = "Altered on its way"
      sentence =
        "This work came here with other words than the artist's server has (\(mark.differing.joined(separator: ", "))). "
        + "What the artist's server says is shown."
    }
  }
}

private struct CopiesPage {
  struct Copy {
    let name: String
    let path: String
    let words: CopyWords
    let date: String
  }
  struct Picture {
    let name: String
    let path: String?
    let declared: String
    let found: String
    let date: String
  }
  let copies: [Copy]
  let pictures: [Picture]
  let isEmpty: Bool
}

extension WebFace {
  /// Copies that do not say, or show, what their authors signed for.
  @Sendable func copies(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    _ = try context.require(role: .moderator)
    let found = try await database.read { tx in
      let marks = try tx.copyMarks(limit: Limits.listedCopies)
      let changed = try tx.changedMedia(limit: Limits.listedCopies)
      let pictures = try tx.attachments(changed.map(\.attachmentID))
      let posts = try marks.reduce(into: [Post.ID: Post]()) { $0[$1.postID] = try tx.post($1.postID) }
      let people = try tx.accounts(Set(posts.values.map(\.authorID)).union(pictures.map(\.ownerID)))
      return (marks: marks, changed: changed, pictures: pictures, posts: posts, people: people)
    }
    let copies = found.marks.compactMap { mark -> CopiesPage.Copy? in
      guard let post = found.posts[mark.postID], let author = found.people[post.authorID] else { return nil }
      return .init(
        name: handle(of: author), path: path(of: post, by: author), words: CopyWords(mark),
        date: dayInWords(mark.checkedAt))
    }
    let pictures = found.changed.compactMap { changed -> CopiesPage.Picture? in
      guard let picture = found.pictures.first(where: { $0.id == changed.attachmentID }),
        let owner = found.people[picture.ownerID]
      else { return nil }
      return .init(
        name: handle(of: owner), path: picture.postID.map { "\(path(of: owner))/\($0)" },
        declared: String(changed.declared.rawValue.prefix(16)), found: String(changed.found.rawValue.prefix(16)),
        date: dayInWords(changed.notedAt))
    }
    let frame = frame("Copies", context, policy: standardPolicy, isListed: false)
    return try page(
      "copies",
      CopiesPage(copies: copies, pictures: pictures, isEmpty: copies.isEmpty && pictures.isEmpty), frame, request,
      context, policy: standardPolicy, isPrivate: true)
  }
}

extension Limits {
  static let listedCopies = 100
}
