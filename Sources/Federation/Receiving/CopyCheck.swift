import ActivityStreams
import Logging
import Model
import Persistence
import Policy
import Primitives
import Store

/// What a comparison with the origin came to.
struct CopyFinding: Hashable, Sendable {
  let state: CopyMark.State
  let differing: [String]
}

/// Holds a copy of a document against the one its origin serves.
package enum CopyCheck {
  /// Counts and lists move between two readings, and a proof is no word of its author.
  private static let moving: Set<String> = [
    "@context", "proof", "signature", "replies", "likes", "shares", "updated", "votersCount", "oneOf", "anyOf",
  ]

  /// The names of the members that differ, in order; those that no honest document has are not repeated.
  package static func differences(_ copy: JSON, _ origin: JSON) -> [String] {
    let names = Set(copy.pairs.map(\.key)).union(origin.pairs.map(\.key)).subtracting(moving)
    return Array(
      names.filter { normal(copy[$0]) != normal(origin[$0]) }.filter(isName).sorted().prefix(Limits.namedDifferences))
  }

  /// JSON-LD reads a list of one as the thing itself, and an empty one as nothing.
  private static func normal(_ value: JSON?) -> [UInt8]? {
    switch value {
    case nil, .null: nil
    case .array(let values) where values.isEmpty: nil
    case .array(let values) where values.count == 1: normal(values.first)
    case .some(let value): value.canonicalBytes
    }
  }

  private static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (48...58).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
      }
  }
}

extension Receiver {
  /// A copy that ought to bear its author's proof and bears none that holds is held against its origin, and what the
  /// origin says is taken: whoever carries a document can strip it of its policy.
  func checked(_ prepared: PreparedNote, _ budget: FetchBudget) async throws -> PreparedNote {
    let author = prepared.author
    switch prepared.standing {
    case .proved, .refetched: return prepared
    case .forged: break
    case .delivered:
      // Private words are not signed by anybody, so that they are evidence for nobody.
      guard prepared.read.visibility(followers: author.followers).isOpen, prepared.hasWhatToLose,
        try await environment.database.read({ try $0.makesProofs(author.uri) })
      else { return prepared }
    }
    let origin: PreparedNote
    do { origin = try await posts.prepare(prepared.read.note.id, budget: budget) } catch {
      return prepared.found(.unverified, [])
    }
    guard origin.author.uri == author.uri, origin.read.note.id == prepared.read.note.id else {
      return prepared.found(.unverified, [])
    }
    let differing = CopyCheck.differences(prepared.read.json, origin.read.json)
    environment.log.notice(
      "a copy was compared with its origin",
      metadata: ["host": "\(author.uri.host.text)", "differing": "\(differing.joined(separator: " "))"])
    guard origin.standing != .forged else { return prepared.found(.unverified, differing) }
    if !differing.isEmpty { return origin.found(.altered, differing) }
    return origin.standing == .proved ? origin : origin.found(.unverified, [])
  }
}

extension PreparedNote {
  /// Pictures, or words to machines in the note or of its author. Asking an origin about every other line of text
  /// would double what this server asks of others.
  fileprivate var hasWhatToLose: Bool {
    !read.note.attachments.isEmpty || read.incomingPolicy(standing).policy != nil || author.usagePolicy != nil
  }

  fileprivate func found(_ state: CopyMark.State, _ differing: [String]) -> PreparedNote {
    var marked = self
    marked.finding = CopyFinding(state: state, differing: differing)
    return marked
  }
}

extension WriteTransaction {
  /// Remembers what is known against the copy of `post`, or that nothing is any more.
  func note(_ finding: CopyFinding?, on post: Post.ID, at time: Timestamp) throws {
    guard let finding else { return try deleteCopyMark(on: post) }
    try save(CopyMark(postID: post, state: finding.state, differing: finding.differing, checkedAt: time))
  }
}

extension Limits {
  /// Differing members that are named to people.
  static let namedDifferences = 12
}
