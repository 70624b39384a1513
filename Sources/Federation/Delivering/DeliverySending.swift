import Model
import Primitives
import Signatures
import Store
import Transport

/// One attempt: signs the stored bytes with the sender's key of this moment and posts them.
struct DeliverySending: Sendable {
  let client: GuardedClient
  let keys: KeyRing
  let time: TimeSource
  private let digests: FollowerDigests

  init(_ environment: FederationEnvironment) {
    client = environment.client
    keys = environment.keys
    time = environment.time
    digests = FollowerDigests(environment)
  }

  struct Result: Sendable {
    var outcome: DeliveryOutcome
    /// The scheme that the peer took, when it answered with success.
    var accepted: Peer.Scheme?
  }

  /// No large server rejects draft-cavage, and many read nothing else; RFC 9421 is the second knock on 400 and 401, as
  /// the peer asks for it in `Accept-Signature` if it does.
  func send(_ delivery: Delivery, knownScheme: Peer.Scheme?) async -> Result {
    let ring: KeyRing.ActorKeys
    do { ring = try await keys.keys(of: delivery.senderID) } catch { return Result(outcome: .failed(.notPrepared)) }
    let lists = delivery.toFollowers ? await digests.field(of: delivery.senderID, to: delivery.inbox) : nil
    var knocking = SignatureKnocking(known: knownScheme.map { $0 == .rfc9421 ? .messageSignature : .cavage })
    let first = await attempt(delivery, knocking.style, ring, lists)
    var last = first
    while case .answered(let status, _) = last.outcome {
      if last.outcome.isSuccess {
        return Result(outcome: last.outcome, accepted: knocking.style == .cavage ? .cavage : .rfc9421)
      }
      let asked = last.challenge.flatMap {
        SignatureRequest(acceptSignature: $0, hasBody: true, keys: [ring.rsa.id, ring.ed25519.id])
      }
      guard let style = knocking.next(after: status, asked: asked) else { break }
      last = await attempt(delivery, style, ring, lists)
    }
    // A peer that does not know the second scheme complains about that; what it said to the first counts.
    return Result(outcome: first.outcome)
  }

  private struct Answer {
    var outcome: DeliveryOutcome
    /// `Accept-Signature`.
    var challenge: String?
  }

  private func attempt(
    _ delivery: Delivery, _ style: SignatureKnocking.Style, _ ring: KeyRing.ActorKeys,
    _ lists: CollectionSynchronization?
  ) async -> Answer {
    let key = ring.key(for: style)
    let digest = ContentDigest(of: delivery.body)
    let time = time
    let request = OutgoingRequest(
      url: delivery.inbox, body: delivery.body, maximumResponse: Limits.deliveryAnswer
    ) { target in
      var fields: HeaderFields = [("content-type", "application/activity+json")]
      // Unsigned, anybody on the way could make a peer drop followers; FEP-8fcf has it passed over then.
      if let lists { fields.append("collection-synchronization", lists.text) }
      let facts = RequestFacts(method: target.method.rawValue, url: target.url, fields: fields, body: digest)
      let extra = lists == nil ? [] : ["collection-synchronization"]
      let signed = try key.sign(facts, as: style, at: time.now(), alsoCovering: extra)
      return signed.all.map { HeaderField($0.name, $0.value) }
    }
    do {
      let response = try await client.post(request)
      return Answer(
        outcome: .answered(status: response.status, retryAfter: retryAfter(response)),
        challenge: response.header("accept-signature"))
    } catch {
      return Answer(outcome: .failed(error))
    }
  }

  /// Seconds or a date, RFC 9110 §10.2.3.
  private func retryAfter(_ response: IncomingResponse) -> Duration? {
    guard let text = response.header("retry-after"), text.utf8.count <= 64 else { return nil }
    if let seconds = UInt32(text) { return .seconds(Int64(seconds)) }
    return Timestamp(httpDate: text).map { max(.zero, $0.since(time.now())) }
  }
}

extension DeliveryOutcome {
  var isSuccess: Bool {
    if case .answered(let status, _) = self { return (200...299).contains(status) }
    return false
  }
}
