import Primitives

/// A mail that a committed change has caused. Holds ids only: whom it goes to and what it says is read when it is
/// sent, and the secret in its link is made then, so that none of it lies in a queue.
package enum Letter: Codable, Hashable, Sendable {
  /// To whoever asked for an account: is this your address?
  case confirmSignUp(SignUp.ID)
  /// The account exists now.
  case welcome(Account.ID)
  /// Moderators said no.
  case declined(SignUp.ID)
  case resetPassword(Account.ID)
  case passwordChanged(Account.ID)
  /// To the new address: is this yours?
  case confirmAddress(AddressChange.ID)
  /// To the old address, before anything has changed, with a way to stop it.
  case addressChanging(AddressChange.ID)
  /// To the old address, afterwards.
  case addressChanged(AddressChange.ID)
}

/// What the secret in a mail is good for, once.
package enum LinkPurpose: String, Codable, Hashable, Sendable, CaseIterable {
  case confirmSignUp = "confirm_sign_up"
  case resetPassword = "reset_password"
  case confirmAddress = "confirm_address"
  case stopAddress = "stop_address"
}

/// Somebody who asks for an account and has none yet: nothing of them is shown anywhere.
package struct SignUp: Hashable, Sendable {
  package typealias ID = Primitives.ID<SignUp>

  package enum State: String, Codable, Hashable, Sendable, CaseIterable {
    /// Nobody has shown that the address is theirs.
    case unconfirmed
    /// Waits for a moderator.
    case waiting
    /// Kept until the answer is on its way.
    case declined
  }

  package var id: ID
  package var username: String
  package var email: String
  package var passwordHash: String
  package var reason: String
  package var locale: String
  package var state: State
  /// Asked for with an address that has an account. Everything looks the same from outside; the mail goes to the owner.
  package var isEcho: Bool
  /// With an invitation nobody has to approve.
  package var isInvited: Bool
  /// The token that an app was given, and what it is good for once the account exists.
  package var tokenHash: String?
  package var applicationID: OAuthClient.ID?
  package var scopes: String
  package var createdAt: Timestamp

  package init(
    id: ID, username: String, email: String, passwordHash: String, reason: String, locale: String,
    state: State = .unconfirmed, isEcho: Bool = false, isInvited: Bool = false, tokenHash: String? = nil,
    applicationID: OAuthClient.ID? = nil, scopes: String = "", createdAt: Timestamp
  ) {
    self.id = id
    self.username = username
    self.email = email
    self.passwordHash = passwordHash
    self.reason = reason
    self.locale = locale
    self.state = state
    self.isEcho = isEcho
    self.isInvited = isInvited
    self.tokenHash = tokenHash
    self.applicationID = applicationID
    self.scopes = scopes
    self.createdAt = createdAt
  }
}

/// Who may come here, as the operator set it.
package struct SignUpRules: Hashable, Sendable {
  package enum Mode: String, Hashable, Sendable, CaseIterable {
    /// Whoever has an e-mail address.
    case open
    /// Moderators look at every request.
    case approval
    /// Only with a link that a moderator made.
    case invite
    case closed
  }
  package var mode: Mode
  /// Whether a stranger may ask.
  package var isOpen: Bool { mode == .open || mode == .approval }
  /// Whether people must say why they want to join.
  package var needsReason: Bool
  /// What is said to those who may not come.
  package var message: String?

  package init(mode: Mode = .closed, needsReason: Bool = false, message: String? = nil) {
    self.mode = mode
    self.needsReason = needsReason
    self.message = message
  }
}

/// A new e-mail address that its owner has not confirmed yet, or has.
package struct AddressChange: Hashable, Sendable {
  package typealias ID = Primitives.ID<AddressChange>
  package enum State: String, Codable, Hashable, Sendable, CaseIterable { case asked, done, stopped }

  package var id: ID
  package var accountID: Account.ID
  package var oldEmail: String
  package var newEmail: String
  package var state: State
  package var createdAt: Timestamp

  package init(
    id: ID, accountID: Account.ID, oldEmail: String, newEmail: String, state: State = .asked, createdAt: Timestamp
  ) {
    self.id = id
    self.accountID = accountID
    self.oldEmail = oldEmail
    self.newEmail = newEmail
    self.state = state
    self.createdAt = createdAt
  }
}
