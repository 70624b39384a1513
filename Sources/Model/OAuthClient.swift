import Primitives

/// A program that people let act for them.
package struct OAuthClient: Hashable, Sendable {
  package typealias ID = Primitives.ID<OAuthClient>
  package var id: ID
  package var clientID: String
  package var secretHash: String
  package var name: String
  package var website: String?
  /// Opaque texts: apps have schemes of their own, and some no `//` (Ivory).
  package var redirects: [String]
  package var scopes: String
  package var createdAt: Timestamp

  package init(
    id: ID, clientID: String, secretHash: String, name: String, website: String?, redirects: [String], scopes: String,
    createdAt: Timestamp
  ) {
    self.id = id
    self.clientID = clientID
    self.secretHash = secretHash
    self.name = name
    self.website = website
    self.redirects = redirects
    self.scopes = scopes
    self.createdAt = createdAt
  }

  /// The address that stands for "show the code to the person".
  package static let outOfBand = "urn:ietf:wg:oauth:2.0:oob"

  /// Whether an authorization code may be sent to `text`. What runs as a program in the page that follows it, or
  /// hides another name in front of the host, may not be registered.
  package static func isRedirect(_ text: String) -> Bool {
    guard (1...Limits.redirectBytes).contains(text.utf8.count),
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "\\") }),
      let colon = text.firstIndex(of: ":")
    else { return false }
    let scheme = text[..<colon].lowercased()
    guard let first = scheme.utf8.first, (97...122).contains(first),
      scheme.utf8.allSatisfy({
        (97...122).contains($0) || (48...57).contains($0) || $0 == 43 || $0 == 45 || $0 == 46
      }), !forbidden.contains(scheme)
    else { return false }
    if scheme == "urn" { return text == outOfBand }
    // IRI refuses user names and passwords in front of a host.
    return scheme == "http" || scheme == "https" ? IRI(text) != nil : text.index(after: colon) < text.endIndex
  }

  private static let forbidden: Set<String> = [
    "javascript", "data", "file", "vbscript", "about", "blob", "filesystem", "view-source", "ws", "wss", "ftp",
    "mailto", "jar", "intent",
  ]
}

/// What a person's consent is, until the application fetches its token.
package struct AuthorizationCode: Hashable, Sendable {
  package var hash: String
  package var applicationID: OAuthClient.ID
  package var accountID: Account.ID
  package var redirect: String
  package var scopes: String
  /// S256 of PKCE (RFC 7636).
  package var challenge: String?
  package var expiresAt: Timestamp
  /// Of the token it was exchanged for.
  package var tokenHash: String?

  package init(
    hash: String, applicationID: OAuthClient.ID, accountID: Account.ID, redirect: String, scopes: String,
    challenge: String?, expiresAt: Timestamp, tokenHash: String? = nil
  ) {
    self.hash = hash
    self.applicationID = applicationID
    self.accountID = accountID
    self.redirect = redirect
    self.scopes = scopes
    self.challenge = challenge
    self.expiresAt = expiresAt
    self.tokenHash = tokenHash
  }
}

extension Limits {
  package static let redirectBytes = 2_000
  package static let redirects = 10
  package static let applicationName = 60
}
