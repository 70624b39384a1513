import ActivityStreams
import Primitives
import Transport

/// Why a document could not be had, or is not what it says.
package enum FetchFailure: Error, Hashable, Sendable {
  case transport(TransportFailure)
  /// 404 and 410.
  case gone(status: Int)
  case status(Int)
  /// Neither of the two ActivityPub media types: an upload on the same host could pass for an actor (GHSA-jhrq).
  case contentType
  case document(VocabularyError)
  /// The document names another id than the address it was found at (CVE-2024-23832, CVE-2024-52591).
  case mismatch
  /// An id of this server: found in the database or nowhere (Akkoma 2024.03).
  case local
  case blockedHost
  /// The activity has caused all the fetches it may.
  case budget
  /// We could not sign, or not find out whether we may ask.
  case unsigned

  package var code: String {
    switch self {
    case .transport(let failure): failure.code
    case .gone: "fetch.gone"
    case .status(let status): "fetch.status_\(status)"
    case .contentType: "fetch.content_type"
    case .document(let error): error.code
    case .mismatch: "fetch.id_mismatch"
    case .local: "id.local"
    case .blockedHost: "host.blocked"
    case .budget: "fetch.budget"
    case .unsigned: "fetch.unsigned"
    }
  }

  /// Whether asking again later may help. 401 and 403 do not count: the peer has heard who asks.
  package var isTransient: Bool {
    switch self {
    case .transport(let failure): failure.isTransient
    case .status(let status): status >= 500 || status == 408 || status == 425 || status == 429
    case .unsigned: true
    case .gone, .contentType, .document, .mismatch, .local, .blockedHost, .budget: false
    }
  }

  package var isGone: Bool {
    if case .gone = self { return true }
    return false
  }
}

/// Why an account or a post could not be had. `code` is stable.
package enum ResolveFailure: Error, Hashable, Sendable {
  case fetch(FetchFailure)
  /// The document is not acceptable as what was asked for; asking again does not help.
  case unacceptable(String)
  case database(isTransient: Bool)

  package var code: String {
    switch self {
    case .fetch(let failure): failure.code
    case .unacceptable(let code): code
    case .database: "database"
    }
  }

  package var isTransient: Bool {
    switch self {
    case .fetch(let failure): failure.isTransient
    case .unacceptable: false
    case .database(let isTransient): isTransient
    }
  }
}
