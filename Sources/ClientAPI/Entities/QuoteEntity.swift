import Markup
import Model
import Primitives
import Store

extension StatusPage {
  /// Whole at the first level, by id below it. What the viewer may not see is not there, whoever consented.
  func quote(of post: Post) -> JSON {
    guard let quote = assembly.quotes[post.id] else { return .null }
    guard let quoted = shown(quote) else {
      return ["state": .string(state(of: quote).rawValue), "quoted_status": .null]
    }
    return ["state": .string(Quote.State.accepted.rawValue), "quoted_status": drawn(quoted, isQuoted: true) ?? .null]
  }

  func shallowQuote(of post: Post) -> JSON {
    guard let quote = assembly.quotes[post.id] else { return .null }
    let id = quote.state == .accepted ? quote.quotedID?.description : nil
    return ["state": .string(quote.state.rawValue), "quoted_status_id": .text(id)]
  }

  private func shown(_ quote: Quote) -> Post? {
    guard quote.state == .accepted, let quoted = quote.quotedID.flatMap({ assembly.quoted[$0] }),
      assembly.viewer != nil || quoted.isLocal, assembly.accounts[quoted.authorID] != nil
    else { return nil }
    return quoted
  }

  private func state(of quote: Quote) -> Quote.State {
    guard quote.state == .accepted else { return quote.state }
    return quote.quotedID == nil ? .deleted : .unauthorized
  }

  /// For clients that know no quotes; the others leave paragraphs of this class out.
  func quoteFallback(of post: Post) -> String {
    guard let quote = assembly.quotes[post.id], quote.state == .pending || quote.state == .accepted else { return "" }
    return quoteLink(to: quote.quotedID.flatMap { assembly.quoted[$0] }?.url ?? quote.quotedURI)
  }

  func quoteApproval(of post: Post) -> JSON {
    let rule = post.interactionInForce.quote
    func words(_ circles: [InteractionPolicy.Circle]?, _ named: [IRI]?) -> JSON {
      let known = (circles ?? []).filter { $0 != .author }.map { JSON.string($0.rawValue) }
      return .array(known + ((named ?? []).isEmpty ? [] : ["unsupported_policy"]))
    }
    return [
      "automatic": words(rule?.automatic, rule?.named), "manual": words(rule?.manual, rule?.namedManual),
      "current_user": .string(ownApproval(of: post)),
    ]
  }

  private func ownApproval(of post: Post) -> String {
    guard let viewer = assembly.viewer, let author = assembly.accounts[post.authorID] else { return "unknown" }
    guard post.visibility.isOpen || viewer == author.id else { return "denied" }
    let visitor = Visitor(
      uri: assembly.accounts[viewer]?.uri ?? author.uri, isAuthor: viewer == author.id,
      followsAuthor: assembly.followed.contains(author.id),
      isFollowed: assembly.following.contains(author.id))
    return switch post.interactionInForce.consent(to: .quote, of: visitor) {
    case .given: "automatic"
    case .mayAsk: "manual"
    case .refused: "denied"
    case .unsaid: "unknown"
    }
  }
}
