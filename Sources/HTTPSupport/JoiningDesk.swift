import HTTPTypes
import Model
import Operations
import Persistence
import Primitives
import Store

/// Where people come in, and where they get a new password: one desk for pages and apps, so that both count alike.
package struct JoiningDesk: Sendable {
  package let rules: SignUpRules
  /// Without a mail server there are neither sign-ups nor resets.
  package let canMail: Bool
  private let instance: Instance
  private let database: any Database
  private let ids: SnowflakeGenerator
  private let time: TimeSource
  private let hashPassword: @Sendable (String) async throws -> String?
  private let makeKeys: @Sendable (Account.ID, String) throws -> [StoredKey]
  private let applications: RateLimiter
  private let letters: RateLimiter
  private let questions: RateLimiter

  package init(
    rules: SignUpRules, canMail: Bool, instance: Instance, database: any Database, ids: SnowflakeGenerator,
    time: TimeSource, hashPassword: @escaping @Sendable (String) async throws -> String?,
    makeKeys: @escaping @Sendable (Account.ID, String) throws -> [StoredKey]
  ) {
    self.rules = canMail ? rules : SignUpRules(message: rules.message)
    self.canMail = canMail
    self.instance = instance
    self.database = database
    self.ids = ids
    self.time = time
    self.hashPassword = hashPassword
    self.makeKeys = makeKeys
    applications = RateLimiter(.init(burst: Limits.signUpsAtOnce, per: .seconds(1_800)), time: time)
    letters = RateLimiter(.init(burst: Limits.lettersAtOnce, per: .seconds(3_600)), time: time)
    questions = RateLimiter(.init(burst: Limits.resetsAtOnce, per: .seconds(1_800)), time: time)
  }

  private var context: OperationContext { OperationContext(instance: instance, ids: ids, now: time.now()) }

  /// Takes a request for an account. The answer is the same whether the e-mail address has an account or not: the same
  /// words, the same work, and the difference only in the mail.
  /// - Throws: `SignUpRefusal` with what is wrong with the form; `Problem` 429.
  package func apply(_ form: SignUpForm, token: PromisedToken? = nil, from address: String?) async throws -> SignUp {
    guard rules.mode != .closed else { throw OperationFailure.signUpsClosed(rules) }
    try spend(applications, rateKey(address))
    let rules = rules
    let problems = try await database.read { try $0.problems(with: form, rules) }
    guard problems.isEmpty, let mailbox = EmailAddress(form.email) else { throw SignUpRefusal(problems: problems) }
    try spend(letters, mailbox.bucket)
    guard let hash = try await hashPassword(form.password) else {
      throw OperationFailure(.invalid, "signup.password", "This password can not be used.")
    }
    let context = context
    return try await database.write {
      try $0.signUp(form, passwordHash: hash, token: token, by: rules, in: context)
    }
  }

  /// Nil: the account exists now. Otherwise the request waits for a moderator.
  package func confirm(_ secret: String) async throws -> SignUp? {
    let hash = secretHash(secret)
    let context = context
    guard let asked = try await pending(secret) else {
      throw Problem(.notFound, "link.spent", "This link was used already, is too old, or is not whole.")
    }
    let id: Account.ID = ids.next()
    let keys = try makeKeys(id, asked.username)
    let rules = rules
    return try await database.write {
      try $0.confirm(asked, byLink: hash, keys: keys, accountID: id, by: rules, in: context)
    }
  }

  /// Whose link this is.
  package func pending(_ secret: String) async throws -> SignUp? {
    let (hash, now) = (secretHash(secret), time.now())
    return try await database.read { tx -> SignUp? in
      guard let id: SignUp.ID = try tx.mailLink(hash: hash, .confirmSignUp, at: now) else { return nil }
      return try tx.signUp(id)
    }
  }

  package func approve(_ id: SignUp.ID) async throws -> Account {
    let account: Account.ID = ids.next()
    let context = context
    guard let asked = try await database.read({ try $0.signUp(id) }) else { throw OperationFailure.notFound }
    let keys = try makeKeys(account, asked.username)
    return try await database.write { tx in
      // Again: two moderators may look at one request, and nobody is let in whose address is not shown to be theirs.
      guard let asked = try tx.signUp(id), asked.state == .waiting else { throw OperationFailure.notFound }
      return try tx.admit(asked, keys: keys, accountID: account, in: context)
    }
  }

  package func decline(_ id: SignUp.ID) async throws {
    let context = context
    try await database.write { tx in
      guard let asked = try tx.signUp(id) else { throw OperationFailure.notFound }
      try tx.decline(asked, in: context)
    }
  }

  /// Another confirmation for somebody who waits for one.
  package func remind(_ asked: SignUp) async throws {
    guard let mailbox = EmailAddress(asked.email) else { return }
    try spend(letters, mailbox.bucket)
    let context = context
    try await database.write { try $0.sendConfirmation(asked, in: context) }
  }

  /// Says nothing about who is here: a name that is not, and one that has asked too often, look the same.
  package func requestReset(of name: String, from address: String?) async throws {
    try spend(questions, rateKey(address))
    let context = context
    let name = name.filter { $0 != " " }
    guard (1...320).contains(name.utf8.count) else { return }
    let user = try await database.read { try $0.user(named: name) }
    guard let user, letters.take("account \(user.accountID)") == nil else { return }
    try await database.write { try $0.requestPasswordReset(of: user, in: context) }
  }

  package func resetAccount(_ secret: String) async throws -> Account? {
    let (hash, now) = (secretHash(secret), time.now())
    return try await database.read { tx -> Account? in
      guard let id: Account.ID = try tx.mailLink(hash: hash, .resetPassword, at: now) else { return nil }
      return try tx.account(id)
    }
  }

  package func reset(_ secret: String, to password: String) async throws {
    guard let hash = try await hashPassword(password) else {
      throw OperationFailure(.invalid, "account.password", "This password can not be used.")
    }
    let context = context
    try await database.write { _ = try $0.resetPassword(byLink: secretHash(secret), to: hash, in: context) }
  }

  package func changeAddress(of account: Account.ID, to address: EmailAddress) async throws {
    try spend(letters, "account \(account)")
    try spend(letters, address.bucket)
    let context = context
    try await database.write { try $0.changeAddress(of: account, to: address, in: context) }
  }

  package func confirmAddress(_ secret: String) async throws {
    let context = context
    try await database.write { try $0.confirmAddress(byLink: secretHash(secret), in: context) }
  }

  package func stopAddressChange(_ secret: String) async throws {
    let context = context
    try await database.write { try $0.stopAddressChange(byLink: secretHash(secret), in: context) }
  }

  package func invite(by account: Account.ID?, secret: String) async throws -> IRI {
    let context = context
    try await database.write { try $0.invite(hash: secretHash(secret), by: account, in: context) }
    return instance.page("/sign-up?invitation=\(secret)")
  }

  /// Whether a link of this purpose is good, without using it.
  package func isGood(_ secret: String, for purpose: LinkPurpose) async throws -> Bool {
    let (hash, now) = (secretHash(secret), time.now())
    return try await database.read { tx in
      let subject: ID<Account>? = try tx.mailLink(hash: hash, purpose, at: now)
      return subject != nil
    }
  }

  private func spend(_ limiter: RateLimiter, _ key: String) throws {
    guard let wait = limiter.take(key) else { return }
    throw Problem(.tooManyRequests, "request.too_many", "Too many requests", retryAfter: wait)
  }
}

extension ReadTransaction {
  /// By name or e-mail address, as people type them at the door.
  package func user(named name: String) throws -> User? {
    if name.contains("@"), let user = try user(email: name) { return user }
    guard let account = try account(username: name.lowercased(), host: nil), account.suspendedAt == nil else {
      return nil
    }
    return try user(account.id)
  }

  /// Somebody who has asked for an account and has none yet.
  package func signUp(named name: String) throws -> SignUp? {
    if let address = EmailAddress(name) { return try signUp(email: address) }
    return try signUp(username: name.lowercased())
  }
}

/// Why a token that somebody was given does not work, in the words clients of Mastodon know.
package enum TokenRefusal: Sendable {
  case unconfirmed, pending, disabled

  package var problem: Problem {
    switch self {
    case .unconfirmed:
      Problem(.forbidden, "account.unconfirmed", "Your login is missing a confirmed e-mail address")
    case .pending: Problem(.forbidden, "account.pending", "Your login is currently pending approval")
    case .disabled: Problem(.forbidden, "account.disabled", "Your login is currently disabled")
    }
  }
}

extension ReadTransaction {
  /// Nil when nobody was ever given this token, or it was revoked.
  func refusal(tokenHash: String) throws -> TokenRefusal? {
    if let asked = try signUp(tokenHash: tokenHash) {
      return asked.state == .unconfirmed ? .unconfirmed : .pending
    }
    return try isDisabled(tokenHash: tokenHash) ? .disabled : nil
  }
}

extension Limits {
  /// Requests for an account from one address in half an hour.
  package static let signUpsAtOnce = 5
  /// Mails to one mailbox in an hour: ours must not be a way to bury somebody in mail.
  package static let lettersAtOnce = 5
  /// Requests for a new password from one address in half an hour.
  package static let resetsAtOnce = 10
}
