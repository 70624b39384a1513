import Markup
import Model
import Persistence
import Policy
import Primitives
import Store

/// A person to be given an account here. The keys were made and sealed before.
package struct NewAccount: Sendable {
  package var username: String
  package var email: String
  package var passwordHash: String
  package var role: Role
  package var keys: [StoredKey]
  package init(username: String, email: String, passwordHash: String, role: Role, keys: [StoredKey]) {
    self.username = username
    self.email = email
    self.passwordHash = passwordHash
    self.role = role
    self.keys = keys
  }

  /// `[a-z0-9_]{1,30}`: narrower than any peer's rule, so that every peer accepts it.
  package static func isUsername(_ name: String) -> Bool {
    (1...30).contains(name.utf8.count)
      && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
  }

  /// Names that seem to speak for the place: only those who do may have them.
  package static let reserved: Set<String> = [
    "actor", "admin", "administrator", "root", "system", "support", "help", "about", "inbox", "media", "api", "login",
    "instance", "everyone", "here", Instance.assessorName, "moderator", "postmaster", "abuse", "security", "null",
    "undefined", "www", "mail", "oauth", "users", "settings", "webmaster", "hostmaster", "noreply",
  ]
}

extension WriteTransaction {
  /// Creates an account with the instance's policy, `no-ai` unless its operator chose another, marked as a default and
  /// not as a choice.
  package func createAccount(_ new: NewAccount, id: Account.ID, in context: OperationContext) throws -> Account {
    guard NewAccount.isUsername(new.username), new.role == .admin || !NewAccount.reserved.contains(new.username)
    else {
      throw OperationFailure(
        .invalid, "account.username_invalid",
        "A name has 1 to 30 letters a-z, digits or underscores, and is not one of the reserved words.")
    }
    guard let address = EmailAddress(new.email) else {
      throw OperationFailure(.invalid, "account.email_invalid", "This is no e-mail address.")
    }
    guard try account(username: new.username, host: nil) == nil else {
      throw OperationFailure(.conflict, "account.username_taken", "Somebody here has this name already.")
    }
    guard try user(email: address.description) == nil else {
      throw OperationFailure(.conflict, "account.email_taken", "An account with this e-mail address exists.")
    }
    let instance = context.instance
    let actor = instance.actor(new.username)
    let account = Account(
      id: id, username: new.username, host: nil, uri: actor, url: instance.profile(new.username),
      displayName: new.username, inbox: instance.inbox(new.username), sharedInbox: instance.sharedInbox,
      outbox: instance.outbox(new.username), followers: instance.followers(new.username),
      following: instance.following(new.username), featured: instance.featured(new.username),
      usagePolicy: instance.usagePolicy, policyStatedAt: context.now,
      createdAt: context.now, fetchedAt: context.now)
    try insert(account)
    var stated = account
    stated.usagePolicy = try publishPolicy(instance.usagePolicy, of: account, in: context)
    try update(stated)
    try insert(
      User(
        accountID: id, email: address.description, passwordHash: new.passwordHash, role: new.role,
        createdAt: context.now))
    for key in new.keys { try insert(key, at: context.now) }
    return stated
  }

  /// The actor that signs this server's own requests. Made once.
  package func createInstanceActor(keys: [StoredKey], id: Account.ID, in context: OperationContext) throws -> Account {
    let instance = context.instance
    let account = Account(
      id: id, username: instance.host.name, host: nil, kind: .application, uri: instance.actor,
      url: instance.page("/about"), displayName: instance.host.text, inbox: instance.sharedInbox,
      sharedInbox: instance.sharedInbox, isLocked: true, isDiscoverable: false, createdAt: context.now,
      fetchedAt: context.now)
    try insert(account)
    for key in keys { try insert(key, at: context.now) }
    return account
  }

  /// Changes how machines may use an artist's works by default, and tells everybody who holds a copy.
  package func changeUsagePolicy(
    of account: Account, to policy: UsagePolicy, in context: OperationContext
  ) throws -> Account {
    // Read again: the caller's copy may be older than the last change of the profile.
    guard var changed = try self.account(account.id) else { throw OperationFailure.notFound }
    changed.usagePolicy = try publishPolicy(policy, of: changed, in: context)
    changed.policyStatedAt = context.now
    try update(changed)
    try federate(.profileUpdated(account.id), by: account.id, in: context)
    return changed
  }

  /// Who no longer asks to be asked has consented to those that wait.
  package func updateProfile(_ account: Account, in context: OperationContext) throws {
    guard let before = try self.account(account.id) else { throw OperationFailure.notFound }
    try update(account)
    try federate(.profileUpdated(account.id), by: account.id, in: context)
    guard before.isLocked, !account.isLocked else { return }
    for request in try followRequests(to: account.id, Page(limit: Limits.acceptedAtOnce)) {
      try acceptFollow(by: request.account, to: account, in: context)
    }
  }

  /// Queues what other servers must be told, in the order of this author's acts. A trial tells nobody.
  func federate(_ intent: FederationIntent, by author: Account.ID, in context: OperationContext) throws {
    guard !context.instance.isTrial else { return }
    try enqueue(.federate(intent), id: context.ids.next(), at: context.now, ordering: "author \(author)")
  }

  /// Tells a local account; does nothing for a remote one, and never tells somebody about themselves.
  func notify(
    _ recipient: Account.ID, of kind: Notification.Kind, from sender: Account.ID, post: Post.ID?,
    in context: OperationContext
  ) throws {
    guard recipient != sender || kind == .decision || kind == .poll, try account(recipient)?.isLocal == true,
      try !isBlocked(between: recipient, and: sender)
    else { return }
    if let post, kind != .decision, try !mutedThreads(by: recipient, among: [post]).isEmpty { return }
    let rule = try noticeRule(recipient, of: kind, from: sender, post: post, at: context.now)
    guard rule != .drop else { return }
    let notification = Notification(
      id: context.ids.next(), recipientID: recipient, kind: kind, fromID: sender, postID: post,
      createdAt: context.now, isFiltered: rule == .filter)
    try insert(notification)
    // What waits to be looked through wakes nobody.
    if rule == .accept {
      try insertStreamEvent(.notified, notification.id.rawValue)
      try push(notification, in: context)
    }
    afterCommit(.notifications)
  }
}

extension Limits {
  /// Waiting follow requests that are accepted when their account is unlocked; the rest stay to be answered by hand.
  package static let acceptedAtOnce = 1_000
}

extension Signal {
  /// A notification was stored for somebody here.
  package static let notifications = Signal(rawValue: "notifications")
  /// A post was stored or changed.
  package static let posts = Signal(rawValue: "posts")
}
