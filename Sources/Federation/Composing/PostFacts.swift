import Model
import Persistence
import Policy
import Primitives
import Store

/// All that the document of one post is made of, read in one transaction.
package struct PostFacts: Sendable {
  package var post: Post
  package var author: Account
  package var pictures: [Attachment]
  package var renditions: [Attachment.ID: Rendition]
  package var mentions: [Account]
  package var tags: [String]
  package var counts: PostCounts
  package var parentAuthor: Account?
  /// The first post of the thread, when it is known.
  package var root: Post?
  package var parent: Post?
  package var quote: Quote?
  package var quoted: Post?
  package var poll: Poll?
}

extension ReadTransaction {
  /// Nil for a boost or a post of nobody.
  package func facts(of post: Post) throws -> PostFacts? {
    guard post.boostOfID == nil, let author = try account(post.authorID) else { return nil }
    // What is not shown here is not sent there: no address of a held or refused picture leaves.
    let pictures = try attachments(of: [post.id])[post.id, default: []].filter { $0.state == .ready }
    let files = try renditions(of: pictures.map(\.id)).compactMapValues { $0.first { $0.kind == .federated } }
    let root =
      post.inReplyToID == nil
      ? (post.inReplyToURI == nil ? post : nil) : try ancestors(of: post.id, visibleTo: author.id).first
    let parent = try post.inReplyToID.flatMap { try self.post($0) }
    let quote = try quote(of: post.id)
    return PostFacts(
      post: post, author: author, pictures: pictures, renditions: files,
      mentions: try mentions(of: [post.id])[post.id, default: []], tags: try tags(of: [post.id])[post.id, default: []],
      counts: try counts(of: [post.id])[post.id] ?? PostCounts(),
      parentAuthor: try post.inReplyToAccountID.flatMap { try account($0) }, root: root, parent: parent,
      quote: quote, quoted: try quote?.quotedID.flatMap { try self.post($0) }, poll: try poll(of: post.id))
  }
}

extension PostFacts {
  /// The collection of the conversation: ours where it began here, else the one its other posts name (FEP-7888).
  package var context: IRI? {
    if let root, root.isLocal { return root.visibility.isOpen ? root.uri.appending("/context") : nil }
    return root?.contextURI ?? parent?.contextURI
  }

  /// Whether bearing a proof would turn it into transferable evidence of private words (FEP-8b32, Privacy).
  package var isSigned: Bool { post.visibility != .direct }

  /// The author's word for this work, that of its series where the work is silent, the account's where both are.
  package var policy: UsagePolicy? { combine(statements)?.policy }

  /// The policy of one picture; nil when the post's says the same.
  func policy(of picture: Attachment) -> UsagePolicy? {
    guard let own = picture.usagePolicy else { return nil }
    let all = statements + [PolicyStatement(party: author.uri, scope: .attachment, policy: own)]
    guard let combined = combine(all)?.policy else { return nil }
    if let policy, policy.means(theSameAs: combined) { return nil }
    return combined
  }

  private var statements: [PolicyStatement] {
    [
      author.usagePolicy.map { PolicyStatement(party: author.uri, scope: .account, policy: $0) },
      post.seriesPolicy.map { PolicyStatement(party: author.uri, scope: .series, policy: $0) },
      post.usagePolicy.map { PolicyStatement(party: author.uri, scope: .object, policy: $0) },
    ].compactMap { $0 }
  }
}
