import Model
import Persistence
import Primitives
import Store

/// What is wrong with one field of the form, in the codes that apps of Mastodon know.
package struct FieldProblem: Hashable, Sendable {
  package let field: String
  package let code: String
  /// Goes on after the name of the field: "has already been taken".
  package let text: String

  init(_ field: String, _ code: String, _ text: String) {
    self.field = field
    self.code = code
    self.text = text
  }
}

/// Nothing was stored, and this is why.
package struct SignUpRefusal: Error, Hashable, Sendable {
  package let problems: [FieldProblem]
  package init(problems: [FieldProblem]) { self.problems = problems }
}

/// A request for an account as it was typed.
package struct SignUpForm: Hashable, Sendable {
  package var username: String
  package var email: String
  package var password: String
  package var reason: String
  package var locale: String
  package var hasAgreed: Bool
  /// Of the secret in an invitation.
  package var invitationHash: String?

  package init(
    username: String, email: String, password: String, reason: String = "", locale: String = "en", hasAgreed: Bool,
    invitationHash: String? = nil
  ) {
    // People write their name with a capital; names here have none.
    self.username = username.lowercased()
    self.email = email
    self.password = password
    self.reason = reason
    self.locale = locale
    self.hasAgreed = hasAgreed
    self.invitationHash = invitationHash
  }
}

/// What an app gets for a person it signed up: worth nothing until the account exists.
package struct PromisedToken: Hashable, Sendable {
  package let hash: String
  package let application: OAuthClient
  package init(hash: String, application: OAuthClient) {
    self.hash = hash
    self.application = application
  }
}

extension ReadTransaction {
  /// Everything that is wrong with `form`. Whether the address has an account is nobody's business and not among it.
  package func problems(with form: SignUpForm, _ rules: SignUpRules) throws -> [FieldProblem] {
    var problems: [FieldProblem] = []
    if form.username.isEmpty {
      problems.append(.init("username", "ERR_BLANK", "can't be blank"))
    } else if !NewAccount.isUsername(form.username) {
      problems.append(
        .init("username", "ERR_INVALID", "must contain only letters, numbers and underscores, 30 at most"))
    } else if NewAccount.reserved.contains(form.username) {
      problems.append(.init("username", "ERR_RESERVED", "is a reserved keyword"))
    } else if try account(username: form.username, host: nil) != nil || signUp(username: form.username) != nil {
      problems.append(.init("username", "ERR_TAKEN", "has already been taken"))
    }
    if form.email.isEmpty {
      problems.append(.init("email", "ERR_BLANK", "can't be blank"))
    } else if let address = EmailAddress(form.email), address.domain.contains(".") {
      if try isMailBlocked(address) {
        problems.append(.init("email", "ERR_BLOCKED", "contains a disallowed e-mail provider"))
      }
    } else {
      problems.append(.init("email", "ERR_INVALID", "is invalid"))
    }
    if form.password.count < Limits.passwordCharacters {
      let text = "is too short (minimum is \(Limits.passwordCharacters) characters)"
      problems.append(.init("password", form.password.isEmpty ? "ERR_BLANK" : "ERR_TOO_SHORT", text))
    } else if form.password.utf8.count > Limits.passwordBytes {
      problems.append(.init("password", "ERR_TOO_LONG", "is too long"))
    }
    if !form.hasAgreed { problems.append(.init("agreement", "ERR_ACCEPTED", "must be accepted")) }
    if rules.needsReason, form.reason.allSatisfy(\.isWhitespace) {
      problems.append(.init("reason", "ERR_BLANK", "can't be blank"))
    } else if form.reason.unicodeScalars.count > Limits.signUpReason {
      problems.append(.init("reason", "ERR_TOO_LONG", "is too long (maximum is \(Limits.signUpReason) characters)"))
    }
    return problems
  }
}

extension WriteTransaction {
  func send(_ letter: Letter, in context: OperationContext, dedup: String? = nil) throws {
    try enqueue(.mail(letter), id: context.ids.next(), at: context.now, dedup: dedup)
  }

  /// Stores a request for an account and sends for a confirmation. An address that has an account already gets the
  /// same answer here, and another letter.
  package func signUp(
    _ form: SignUpForm, passwordHash: String, token: PromisedToken?, by rules: SignUpRules, in context: OperationContext
  ) throws -> SignUp {
    guard rules.mode != .closed else { throw OperationFailure.signUpsClosed(rules) }
    // Again, in the transaction that stores: of two who ask for one name, one gets it.
    let problems = try problems(with: form, rules)
    guard problems.isEmpty, let address = EmailAddress(form.email) else { throw SignUpRefusal(problems: problems) }
    let isInvited = try form.invitationHash.map { try takeInvitation(hash: $0, at: context.now) } ?? false
    guard rules.mode != .invite || isInvited else { throw OperationFailure.notInvited }
    guard try signUps(in: .unconfirmed, limit: Limits.openSignUps).count < Limits.openSignUps else {
      throw OperationFailure(
        .busy, "signup.too_many", "Too many people are joining at this moment. Try again tomorrow.")
    }
    let signUp = SignUp(
      id: context.ids.next(), username: form.username, email: address.description, passwordHash: passwordHash,
      reason: form.reason, locale: form.locale, isEcho: try user(email: address.description) != nil,
      isInvited: isInvited, tokenHash: token?.hash, applicationID: token?.application.id,
      scopes: token?.application.scopes ?? "", createdAt: context.now)
    try insert(signUp, address: address)
    try send(.confirmSignUp(signUp.id), in: context)
    return signUp
  }

  /// Another letter to somebody whose first one did not arrive.
  package func sendConfirmation(_ signUp: SignUp, in context: OperationContext) throws {
    try send(.confirmSignUp(signUp.id), in: context, dedup: "confirm \(signUp.id)")
  }

  /// The address is shown to be theirs. Nil: the account exists now. Otherwise the request waits for a moderator.
  package func confirm(
    _ signUp: SignUp, byLink hash: String, keys: [StoredKey], accountID: Account.ID, by rules: SignUpRules,
    in context: OperationContext
  ) throws -> SignUp? {
    guard try mailLink(hash: hash, .confirmSignUp, at: context.now) == signUp.id, !signUp.isEcho else {
      throw OperationFailure.linkSpent
    }
    try deleteMailLinks(.confirmSignUp, for: signUp.id)
    guard rules.mode == .open || signUp.isInvited else {
      try setState(.waiting, of: signUp.id)
      return signUp
    }
    try admit(signUp, keys: keys, accountID: accountID, in: context)
    return nil
  }

  /// Makes the account that was asked for.
  @discardableResult
  package func admit(
    _ signUp: SignUp, keys: [StoredKey], accountID: Account.ID, in context: OperationContext
  ) throws -> Account {
    // First the request goes: its name is held by the account from now on.
    try delete(signUp: signUp.id)
    let account = try createAccount(
      NewAccount(
        username: signUp.username, email: signUp.email, passwordHash: signUp.passwordHash, role: .artist, keys: keys),
      id: accountID, in: context)
    if let hash = signUp.tokenHash, let application = signUp.applicationID {
      try insert(
        AccessToken(
          id: context.ids.next(), secretHash: hash, accountID: account.id, applicationID: application,
          application: "sign-up", scopes: signUp.scopes, createdAt: context.now))
    }
    try send(.welcome(account.id), in: context)
    return account
  }

  package func decline(_ signUp: SignUp, in context: OperationContext) throws {
    guard try self.signUp(signUp.id)?.state == .waiting else { throw OperationFailure.notFound }
    try setState(.declined, of: signUp.id)
    try send(.declined(signUp.id), in: context)
  }

  /// Nothing tells whether there is such a person.
  package func requestPasswordReset(of user: User?, in context: OperationContext) throws {
    guard let user, user.disabledAt == nil, try account(user.accountID)?.suspendedAt == nil else { return }
    try send(.resetPassword(user.accountID), in: context, dedup: "reset \(user.accountID)")
  }

  package func resetPassword(
    byLink hash: String, to passwordHash: String, in context: OperationContext
  ) throws -> Account.ID {
    guard let id: Account.ID = try mailLink(hash: hash, .resetPassword, at: context.now), let user = try user(id),
      user.disabledAt == nil, try account(id)?.suspendedAt == nil
    else { throw OperationFailure.linkSpent }
    try changePassword(of: id, to: passwordHash, in: context)
    return id
  }

  /// Asks both addresses: the new one to confirm, the old one whether it was them.
  package func changeAddress(
    of account: Account.ID, to address: EmailAddress, in context: OperationContext
  ) throws {
    guard let user = try user(account) else { throw OperationFailure.notFound }
    guard try address.domain.contains(".") && !isMailBlocked(address) else {
      throw OperationFailure(.invalid, "account.email_invalid", "This address can not be used.")
    }
    try stopAddressChanges(of: account)
    let change = AddressChange(
      id: context.ids.next(), accountID: account, oldEmail: user.email, newEmail: address.description,
      createdAt: context.now)
    try insert(change)
    try send(.confirmAddress(change.id), in: context)
    try send(.addressChanging(change.id), in: context)
  }

  package func confirmAddress(byLink hash: String, in context: OperationContext) throws {
    guard let id: AddressChange.ID = try mailLink(hash: hash, .confirmAddress, at: context.now),
      let change = try addressChange(id), let address = EmailAddress(change.newEmail), try settle(id, as: .done)
    else { throw OperationFailure.linkSpent }
    if let other = try user(email: change.newEmail), other.accountID != change.accountID {
      throw OperationFailure.linkSpent
    }
    try setEmail(address, of: change.accountID)
    try deleteMailLinks(.confirmAddress, for: id)
    // Those lie in the old mailbox.
    try deleteMailLinks(.resetPassword, for: change.accountID)
    try send(.addressChanged(id), in: context)
  }

  package func stopAddressChange(byLink hash: String, in context: OperationContext) throws {
    guard let id: AddressChange.ID = try mailLink(hash: hash, .stopAddress, at: context.now),
      try settle(id, as: .stopped)
    else { throw OperationFailure.linkSpent }
    try deleteMailLinks(.confirmAddress, for: id)
    try deleteMailLinks(.stopAddress, for: id)
  }

  /// A secret that lets one person in; `hash` is of it.
  package func invite(hash: String, by account: Account.ID?, in context: OperationContext) throws {
    let id: ID<SignUp> = context.ids.next()
    try insertInvitation(
      hash: hash, id: id.rawValue, by: account, until: context.now.adding(Limits.invitationLife))
  }

  /// Requests nobody confirmed, links nobody followed, answers that could not be sent.
  package func forgetJoining(at now: Timestamp) throws {
    try deleteSignUps(in: .unconfirmed, before: now.adding(.zero - Limits.confirmationLife))
    try deleteSignUps(in: .declined, before: now.adding(.zero - Limits.letterLife))
    try deleteMailLinks(expiredBefore: now)
    try deleteInvitations(expiredBefore: now)
    try deleteAddressChanges(before: now.adding(.zero - Limits.addressChangeMemory))
  }
}

extension OperationFailure {
  static let linkSpent = OperationFailure(
    .notFound, "link.spent", "This link was used already, is too old, or is not whole. Ask for a new one.")
  static let notInvited = OperationFailure(
    .forbidden, "signup.invitation", "An account here takes an invitation, and this one is not good, or no longer.")
  package static func signUpsClosed(_ rules: SignUpRules) -> OperationFailure {
    OperationFailure(.forbidden, "signup.closed", rules.message ?? "This place takes no new members at present.")
  }
}

extension Limits {
  package static let passwordCharacters = 12
  package static let passwordBytes = 1_024
  package static let signUpReason = 2_000
  /// Unconfirmed at once: a flood fills this and nothing else.
  package static let openSignUps = 1_000
  /// From a mail to the click.
  package static let confirmationLife = Duration.seconds(2 * 86_400)
  package static let resetLife = Duration.seconds(3_600)
  package static let stopLife = Duration.seconds(7 * 86_400)
  package static let invitationLife = Duration.seconds(14 * 86_400)
  /// How long a mail is tried.
  package static let letterLife = Duration.seconds(3 * 86_400)
  package static let addressChangeMemory = Duration.seconds(30 * 86_400)
}
