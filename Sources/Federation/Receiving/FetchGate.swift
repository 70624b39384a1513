import Model
import Persistence
import Primitives
import Signatures
import Store

/// Who asks for a document.
package enum FetchAdmission: Hashable, Sendable {
  /// No signature. The mode of the instance decides what a stranger sees.
  case anonymous
  /// A valid signature; `viewer` is the actor's account, if it is known here.
  case signed(actor: IRI, viewer: Account?)
  case refused(InboxAnswer)
}

/// Finds out who signed a GET, with the same keys and rules as an inbox.
package struct FetchGate: Sendable {
  private let environment: FederationEnvironment
  private let keys: KeyDirectory

  package init(_ environment: FederationEnvironment, keys: KeyDirectory) {
    self.environment = environment
    self.keys = keys
  }

  package func admit(_ request: InboxRequest) async -> FetchAdmission {
    guard request.fields["signature"] != nil else { return .anonymous }
    let claim: SignatureClaim
    do { claim = try SignatureClaim(of: request.facts, at: environment.time.now()) } catch {
      return .refused(.refused(error))
    }
    let budget = FetchBudget(2, deadline: Limits.fetchInRequest)
    switch await keys.key(claim.keyID, source: request.source, budget: budget) {
    case .found(let key, let isFresh, let listed):
      do {
        let verified = try claim.verify(request.target, with: key.key)
        return await admit(verified, owner: key.owner, listed: listed)
      } catch {
        guard !isFresh, error.mayBeStaleKey else {
          keys.noteFailure(from: isFresh ? request.source : nil)
          return .refused(.refused(error))
        }
        return await admitAgain(claim, request, failure: error, budget: budget)
      }
    case .gone: return .refused(.refused(SignatureFailure.keyUnavailable(transient: false)))
    case .unreachable: return .refused(.keyUnreachable)
    case .cooling: return .refused(.keyCooling)
    case .blocked: return .refused(.blocked)
    case .refused(let failure): return .refused(.refused(failure))
    }
  }

  private func admitAgain(
    _ claim: SignatureClaim, _ request: InboxRequest, failure: SignatureFailure, budget: FetchBudget
  ) async -> FetchAdmission {
    let answer = await keys.key(claim.keyID, source: request.source, refetching: true, budget: budget)
    guard case .found(let key, _, let listed) = answer else { return .refused(.refused(failure)) }
    keys.replace(keysOf: key.owner, with: listed)
    do {
      return await admit(try claim.verify(request.target, with: key.key), owner: key.owner, listed: listed)
    } catch { return .refused(.refused(error)) }
  }

  private func admit(_ verified: Verified<String>, owner: IRI, listed: [RemoteKey]) async -> FetchAdmission {
    do {
      let found = try await environment.database.read { tx in
        (standing: try tx.standing(of: owner), viewer: try tx.account(uri: owner))
      }
      if found.standing.isBlockedHost { return .refused(.blocked) }
      // A suspended actor is a stranger, and sees what strangers see when signatures are asked for: nothing.
      if found.standing.isSuspended {
        return .refused(InboxAnswer(403, "actor.suspended", "This account may not read here."))
      }
      if !listed.isEmpty {
        try await environment.database.write { try $0.replaceRemoteKeys(of: owner, with: listed) }
      }
      return .signed(actor: owner, viewer: found.viewer)
    } catch { return .refused(.busy) }
  }
}
