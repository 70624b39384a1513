import ActivityStreams
import Policy
import Primitives
import Signatures
import Store

/// Checks integrity proofs against the keys their owner lists.
struct ProofCheck: Sendable {
  let keys: KeyDirectory
  let budget: FetchBudget

  enum Verdict: Hashable, Sendable {
    /// The key that proves it.
    case proved(IRI)
    /// No proof, or one that nobody here can check.
    case unsaid
    case forged(ProofFailure)
  }

  /// The key that proves `document` to be `owner`'s; nil without a valid proof.
  func signer(of document: JSON, owner: IRI, at now: Timestamp) async -> IRI? {
    guard case .proved(let signer) = await verdict(on: document, owner: owner, at: now) else { return nil }
    return signer
  }

  /// What the proof of `document` itself says.
  func verdict(on document: JSON, owner: IRI, at now: Timestamp) async -> Verdict {
    guard document["proof"] != nil else { return .unsaid }
    switch await outcome(of: document, owner: owner, at: now) {
    case .success(let signer): return .proved(signer)
    case .failure(let failure):
      switch failure {
      case .missing, .unsupported, .unlinked: return .unsaid
      case .malformed, .multiple, .context, .expired, .bad, .owner: return .forged(failure)
      }
    }
  }

  /// What the proofs say about a policy inside `object`: its own proof, else that of the activity around it.
  ///
  /// A proof nobody can check counts as none; one that does not hold counts as forgery, and the policy as unsaid.
  func standing(
    of object: JSON, within activity: JSON?, owner: IRI, without: IncomingUsagePolicy.Standing, at now: Timestamp
  ) async -> IncomingUsagePolicy.Standing {
    guard let proved = [object, activity ?? .null].first(where: { $0["proof"] != nil }) else { return without }
    return switch await verdict(on: proved, owner: owner, at: now) {
    case .proved: .proved
    case .unsaid: without
    case .forged: .forged
    }
  }

  private func outcome(of document: JSON, owner: IRI, at now: Timestamp) async -> Result<IRI, ProofFailure> {
    do {
      let proof = try IntegrityProof(of: document, at: now)
      guard Ownership.mayOwn(owner, key: proof.verificationMethod) else { throw ProofFailure.owner }
      let answer = await keys.key(proof.verificationMethod, source: nil, budget: budget)
      guard case .found(let known, _, _) = answer else { throw ProofFailure.unlinked }
      // Listed by somebody else on the same host: mallory's key proves nothing about bob's works.
      guard known.owner == owner else { throw ProofFailure.owner }
      guard case .ed25519(let key) = known.key else { throw ProofFailure.unsupported }
      return .success(try proof.verify(with: key).signer)
    } catch let failure as ProofFailure {
      return .failure(failure)
    } catch {
      return .failure(.malformed)
    }
  }
}
