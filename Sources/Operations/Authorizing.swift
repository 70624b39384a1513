import Model
import Persistence
import Primitives
import Store

/// An application as it registers itself.
package struct NewApplication: Hashable, Sendable {
  package var name: String
  package var website: String?
  package var redirects: [String]
  package var scopes: Scopes
  package init(name: String, website: String?, redirects: [String], scopes: Scopes) {
    self.name = name
    self.website = website
    self.redirects = redirects
    self.scopes = scopes
  }
}

/// Why a code gives no token. All of it is `invalid_grant` to the application.
package enum GrantFailure: Error, Hashable, Sendable { case unknown, spent, expired, otherRedirect, proof }

extension WriteTransaction {
  package func register(
    _ new: NewApplication, clientID: String, secretHash: String, in context: OperationContext
  ) throws -> OAuthClient {
    guard (1...Limits.applicationName).contains(new.name.count), !new.name.allSatisfy(\.isWhitespace) else {
      throw OperationFailure(
        .invalid, "application.name",
        "Validation failed: Application name has 1 to \(Limits.applicationName) characters")
    }
    guard (1...Limits.redirects).contains(new.redirects.count), new.redirects.allSatisfy(OAuthClient.isRedirect) else {
      throw OperationFailure(
        .invalid, "application.redirect_uri", "Validation failed: Redirect URI must be an absolute URI")
    }
    if let website = new.website, IRI(website) == nil {
      throw OperationFailure(
        .invalid, "application.website", "Validation failed: Application website must be a valid URL")
    }
    let application = OAuthClient(
      id: context.ids.next(), clientID: clientID, secretHash: secretHash, name: new.name, website: new.website,
      redirects: new.redirects, scopes: new.scopes.text, createdAt: context.now)
    try insert(application)
    return application
  }

  /// A person lets `application` in; the code is good for one token.
  package func authorize(
    _ application: OAuthClient, for account: Account, scopes: Scopes, redirect: String, challenge: String?,
    codeHash: String, in context: OperationContext
  ) throws {
    // A person has to carry the code of an application without an address across by hand.
    let life = redirect == OAuthClient.outOfBand ? Limits.shownCode : Limits.sentCode
    try insert(
      AuthorizationCode(
        hash: codeHash, applicationID: application.id, accountID: account.id, redirect: redirect, scopes: scopes.text,
        challenge: challenge, expiresAt: context.now.adding(life)))
  }

  /// Gives the token for a code. A code that comes twice was stolen by one of the two who sent it: its token ends
  /// (RFC 6749 §4.1.2).
  package func exchange(
    codeHash: String, redirect: String, challenge: String?, by application: OAuthClient, tokenHash: String,
    in context: OperationContext
  ) throws -> Result<AccessToken, GrantFailure> {
    guard let code = try authorizationCode(hash: codeHash), code.applicationID == application.id else {
      return .failure(.unknown)
    }
    if let earlier = code.tokenHash {
      try revoke(tokenHash: earlier, of: application.id, at: context.now)
      return .failure(.spent)
    }
    guard context.now < code.expiresAt else { return .failure(.expired) }
    guard code.redirect == redirect else { return .failure(.otherRedirect) }
    guard code.challenge == challenge else { return .failure(.proof) }
    guard try spend(code: codeHash, for: tokenHash) else { return .failure(.spent) }
    let token = AccessToken(
      id: context.ids.next(), secretHash: tokenHash, accountID: code.accountID, applicationID: application.id,
      application: application.name, scopes: code.scopes, createdAt: context.now)
    try insert(token)
    return .success(token)
  }

  /// A token for the application itself: public things only.
  package func issue(
    to application: OAuthClient, scopes: Scopes, tokenHash: String, in context: OperationContext
  ) throws -> AccessToken {
    let token = AccessToken(
      id: context.ids.next(), secretHash: tokenHash, accountID: nil, applicationID: application.id,
      application: application.name, scopes: scopes.text, createdAt: context.now)
    try insert(token)
    return token
  }
}

extension Limits {
  package static let sentCode = Duration.seconds(60)
  package static let shownCode = Duration.seconds(600)
  package static let unusedApplication = Duration.seconds(7 * 86_400)
}
