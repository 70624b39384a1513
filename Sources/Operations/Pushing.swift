import Markup
import Model
import Persistence
import Primitives
import Store

/// What an app shows of a notification while it sleeps.
package struct PushNotice: Hashable, Sendable {
  package let title: String
  package let body: String
  /// The picture of whoever it is from.
  package let icon: IRI?
}

extension WriteTransaction {
  /// Queues a message for every app that asked for this kind, in the transaction of the notification: what is not
  /// stored is not told, and what is stored is told, whatever happens to the process.
  func push(_ notification: Notification, in context: OperationContext) throws {
    // A trial tells nobody.
    guard !context.instance.isTrial else { return }
    let wanted = try pushSubscriptions(of: notification.recipientID).filter {
      $0.alerts.contains(notification.kind.rawValue)
    }
    guard !wanted.isEmpty,
      try !isMutedNotice(of: notification.fromID, to: notification.recipientID)
    else { return }
    for subscription in wanted where try lets(notification, pass: subscription.policy) {
      try enqueue(.push(notification.id, subscription.id), id: context.ids.next(), at: context.now)
    }
  }

  private func lets(_ notification: Notification, pass policy: PushSubscription.Policy) throws -> Bool {
    switch policy {
    case .all: true
    case .none: false
    case .followed: try follow(of: notification.fromID, by: notification.recipientID)?.state == .accepted
    case .follower: try follow(of: notification.recipientID, by: notification.fromID)?.state == .accepted
    }
  }
}

extension ReadTransaction {
  /// Nil when what it is about is gone, or not for this person any more.
  package func pushNotice(for notification: Notification, on instance: Instance) throws -> PushNotice? {
    guard let sender = try account(notification.fromID), sender.suspendedAt == nil else { return nil }
    let name = sender.displayName.isEmpty ? sender.username : sender.displayName
    let title =
      switch notification.kind {
      case .follow: "\(name) follows you"
      case .followRequest: "\(name) wants to follow you"
      case .mention: "\(name) mentioned you"
      case .boost: "\(name) shared a work of yours"
      case .favourite: "\(name) likes a work of yours"
      case .poll: "A poll has ended"
      default: "There is news on \(instance.host.text)"
      }
    var body = ""
    if let id = notification.postID {
      guard let post = try post(id, visibleTo: notification.recipientID) else { return nil }
      // What is behind a warning stays behind it on a locked screen.
      body = post.spoiler.isEmpty ? SanitizedHTML.restored(fromOwnStorage: post.content).text : post.spoiler
    }
    let icon = sender.avatar.map { instance.media($0.fileName) }
    return PushNotice(title: shortened(title, to: 100), body: shortened(body, to: Limits.pushBody), icon: icon)
  }

  private func shortened(_ text: String, to count: Int) -> String {
    let scalars = text.unicodeScalars
    guard scalars.count > count else { return text }
    return String(String.UnicodeScalarView(scalars.prefix(count - 1))) + "\u{2026}"
  }
}

extension Limits {
  /// Scalars: in the worst case four bytes each, and a push service takes 4,096 in all.
  static let pushBody = 140
}
