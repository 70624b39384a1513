import ActivityStreams
import Model
import Persistence
import Primitives
import Store

extension Composer {
  /// Add or Remove, to everybody who keeps a copy of the author's page. A post of followers is named to them alone.
  func pinned(_ id: Post.ID, isPinned: Bool, _ lease: JobLease) async throws -> ComposedActivity? {
    let found = try await environment.database.read { tx -> (Post, Account)? in
      guard let post = try tx.post(id), post.isLocal, let author = try tx.account(post.authorID) else { return nil }
      return (post, author)
    }
    guard let (post, author) = found, let featured = author.featured else { return nil }
    let header = Header(
      id: instance.pin(lease.id.rawValue, by: author.username), actor: author.uri,
      addressing: Addressing(post.visibility.audience, followers: author.followers))
    let activity: Activity =
      isPinned
      ? .add(Add(header: header, object: post.uri, target: featured))
      : .remove(Remove(header: header, object: post.uri, target: featured))
    return try await simple(
      activity, id: header.id, by: author, about: featured, to: [], toFollowers: true)
  }

  /// What somebody shows as their subjects: Hashtag links to the pages here.
  package func featuredTags(of account: Account) async throws -> Document {
    let tags = try await environment.database.read { try $0.featuredTags(of: account.id) }
    var collection = ObjectCollection(id: instance.featuredTags(account.username), kind: .collection)
    collection.totalItems = tags.count
    collection.items = tags.map {
      Tag.hashtag(name: $0.name, href: IRI(instance.tagPages.text + pathEncoded($0.tag))).json
    }
    return Document(bytes: collection.document.bytes, policy: account.usagePolicy)
  }
}
