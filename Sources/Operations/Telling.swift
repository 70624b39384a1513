import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  /// Open streams are told once this is committed.
  func tell(_ kind: StreamEvent.Kind, _ post: Post.ID) throws { try insertStreamEvent(kind, post.rawValue) }

  /// Called before the rows go.
  func tellGone(_ post: Post) throws {
    guard post.state == .published else { return }
    try insertStreamEvent(.deleted, post.id.rawValue, trace: try trace(of: post))
  }
}
