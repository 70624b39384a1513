import HTTPSupport
import Model
import Operations
import Persistence
import Primitives
import Store

/// The words of every mail. Plain text; every link begins with the configured address, whatever a request said its host
/// was (case M277), and no part of a text was chosen by somebody else than its reader or the operator.
struct LetterWriting: Sendable {
  struct Sheet: Hashable, Sendable {
    let to: EmailAddress
    let subject: String
    let text: String
  }

  let instance: Instance
  let title: String
  /// For the link, if there is one.
  let secret: String
  let now: Timestamp

  /// Nil when what the letter was about is over. Stores the hash of the secret it puts into a link.
  func sheet(for letter: Letter, _ tx: any WriteTransaction) throws -> Sheet? {
    switch letter {
    case .confirmSignUp(let id): try confirmSignUp(id, tx)
    case .declined(let id):
      try tx.signUp(id).flatMap { asked in
        sheet(
          to: asked.email, "Your request to join \(title)",
          """
          you asked for the account @\(asked.username) on \(title). The people who run this place have decided not to
          open it. What you wrote to them has been deleted.
          """)
      }
    case .welcome(let id):
      try written(to: id, tx, "Welcome to \(title)") { account in
        """
        your account @\(account.username)@\(instance.host.text) is open. Sign in with your name or this e-mail address:

        \(instance.page("/login").text)

        Your works say to machines: \(instance.policyPage(account.username).text)
        """
      }
    case .resetPassword(let id):
      try written(to: id, tx, "A new password for \(title)") { account in
        let link = try self.link("/reset", .resetPassword, for: account.id, Limits.resetLife, tx)
        return """
          somebody, probably you, asked for a new password for @\(account.username) on \(title). Choose it here within
          one hour:

          \(link)

          If it was not you, do nothing: your password stays as it is.
          """
      }
    case .passwordChanged(let id):
      try written(to: id, tx, "Your password on \(title) was changed") { account in
        """
        the password of @\(account.username) on \(title) was changed, and every browser and app was signed out.

        If it was not you, ask for a new password now, and write to the people who run this place:

        \(instance.page("/reset").text)
        """
      }
    case .confirmAddress(let id): try confirmAddress(id, tx)
    case .addressChanging(let id): try addressChanging(id, tx)
    case .addressChanged(let id):
      try tx.addressChange(id).flatMap { change in
        guard let account = try tx.account(change.accountID) else { return nil }
        return sheet(
          to: change.oldEmail, "Your e-mail address on \(title) was changed",
          """
          @\(account.username) on \(title) has another e-mail address now. This one is no longer used.

          If it was not you, write to the people who run this place: \(instance.page("/about").text)
          """)
      }
    }
  }

  private func confirmSignUp(_ id: SignUp.ID, _ tx: any WriteTransaction) throws -> Sheet? {
    guard let asked = try tx.signUp(id), asked.state == .unconfirmed else { return nil }
    if asked.isEcho {
      return sheet(
        to: asked.email, "You have an account on \(title)",
        """
        somebody, perhaps you, tried to open another account on \(title) with this e-mail address. There is one already,
        so none was made. Sign in, or choose a new password:

        \(instance.page("/login").text)
        \(instance.page("/reset").text)

        If it was not you, do nothing.
        """)
    }
    let link = try link("/sign-up/confirm", .confirmSignUp, for: id, Limits.confirmationLife, tx)
    return sheet(
      to: asked.email, "Confirm your e-mail address for \(title)",
      """
      somebody, probably you, asked for the account @\(asked.username) on \(title). Show that this address is yours by
      opening this page within two days:

      \(link)

      If it was not you, do nothing: the request is forgotten by itself.
      """)
  }

  private func confirmAddress(_ id: AddressChange.ID, _ tx: any WriteTransaction) throws -> Sheet? {
    guard let change = try tx.addressChange(id), change.state == .asked,
      let account = try tx.account(change.accountID)
    else { return nil }
    // Somebody else's mailbox: nothing is to be confirmed, and nothing tells whoever typed it.
    if let other = try tx.user(email: change.newEmail), other.accountID != account.id { return nil }
    let link = try link("/email/confirm", .confirmAddress, for: id, Limits.confirmationLife, tx)
    return sheet(
      to: change.newEmail, "Confirm your new e-mail address for \(title)",
      """
      somebody, probably you, wants to use this e-mail address for @\(account.username) on \(title). Confirm it within
      two days:

      \(link)

      If it was not you, do nothing.
      """)
  }

  private func addressChanging(_ id: AddressChange.ID, _ tx: any WriteTransaction) throws -> Sheet? {
    guard let change = try tx.addressChange(id), change.state == .asked,
      let account = try tx.account(change.accountID)
    else { return nil }
    let link = try link("/email/stop", .stopAddress, for: id, Limits.stopLife, tx)
    return sheet(
      to: change.oldEmail, "Your e-mail address on \(title) is about to change",
      """
      somebody who knows your password asked that @\(account.username) on \(title) gets another e-mail address. If it
      was you, you have nothing to do. If it was not you, stop it here, and choose a new password:

      \(link)
      \(instance.page("/reset").text)
      """)
  }

  private func link<Entity>(
    _ path: String, _ purpose: LinkPurpose, for subject: ID<Entity>, _ life: Duration, _ tx: any WriteTransaction
  ) throws -> String {
    try tx.insertMailLink(hash: secretHash(secret), purpose, for: subject, until: now.adding(life))
    return instance.page("\(path)/\(secret)").text
  }

  private func written(
    to id: Account.ID, _ tx: any WriteTransaction, _ subject: String, _ text: (Account) throws -> String
  ) throws -> Sheet? {
    guard let account = try tx.account(id), let user = try tx.user(id), user.disabledAt == nil,
      account.suspendedAt == nil
    else { return nil }
    return sheet(to: user.email, subject, try text(account))
  }

  private func sheet(to: String, _ subject: String, _ text: String) -> Sheet? {
    guard let address = EmailAddress(to) else { return nil }
    let whole = """
      Hello,

      \(text)

      -- \n\(title)
      \(instance.base.text)

      """
    return Sheet(to: address, subject: subject, text: whole)
  }
}
