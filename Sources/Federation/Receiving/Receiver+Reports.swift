import ActivityStreams
import Markup
import Model
import Operations
import Persistence
import Primitives
import Store

extension Receiver {
  /// Another server forwards what somebody there reported. Who sent it is kept as a host alone, and nobody is fetched
  /// for it: servers sign with an actor of their own, and strangers can not make us ask for theirs.
  func flag(_ flag: Flag) -> Effect {
    { tx, context in
      let posts = try flag.objects.compactMap { try tx.post(uri: $0) }.filter { $0.isLocal && $0.boostOfID == nil }
      let people = try flag.objects.compactMap { try tx.account(uri: $0) }.filter {
        $0.isLocal && $0.kind != .application
      }
      guard let target = try people.first ?? posts.first.flatMap({ try tx.account($0.authorID) }) else {
        return .done("object.unknown")
      }
      let comment = sanitize(flag.content).text
      let report = try tx.receiveReport(
        flag.id, from: flag.actor.host, of: target, posts: posts, comment: comment, in: context)
      return report == nil ? .rejected("flag.too_many") : .done(nil)
    }
  }
}
