import HTTPTypes
import Hummingbird
import Logging
import Model
import NIOCore
import Policy
import Primitives
import Store

/// One request on its way through a face.
package struct FaceContext: RequestContext, RemoteAddressRequestContext {
  package var coreContext: CoreRequestContextStorage
  package let remoteAddress: SocketAddress?
  /// What the request came on; a route may take it over.
  package let channel: any Channel
  /// Who the request speaks for, once a token or a session has been checked.
  package var bearer: Bearer?
  /// The scopes of a token that speaks for an application alone: public things, seen as a stranger sees them.
  package var applicationScopes: Set<String>?
  /// Of the token that was sent.
  package var tokenHash: String?
  /// The secret of the browser session, when there is one: what CSRF tokens are derived from.
  package var sessionSecret: String?

  package init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    remoteAddress = source.channel.remoteAddress
    channel = source.channel
  }

  /// The account behind the request, or 401.
  package func requireBearer() throws -> Bearer {
    guard let bearer else {
      guard applicationScopes == nil else {
        throw Problem(.forbidden, "oauth.user_required", "This method requires an authenticated user")
      }
      throw Problem.unauthenticated
    }
    return bearer
  }

  /// 403 unless the token carries one of `scopes`; `read` includes `read:statuses`.
  package func require(scope: String) throws -> Bearer {
    let bearer = try requireBearer()
    let broad = scope.split(separator: ":").first.map(String.init) ?? scope
    guard bearer.scopes.contains(scope) || bearer.scopes.contains(broad) else {
      throw Problem(.forbidden, "oauth.insufficient_scope", "This action is outside the authorized scopes")
    }
    return bearer
  }

  package func require(role: Role) throws -> Bearer {
    let bearer = try requireBearer()
    guard bearer.role >= role else {
      throw Problem(.forbidden, "role.insufficient", "This action is not allowed")
    }
    return bearer
  }
}
