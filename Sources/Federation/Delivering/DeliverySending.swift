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

  struct Result: Sendable {
    var outcome: DeliveryOutcome
    /// The scheme that the peer took, when it answered with success.
    var accepted: Peer.Scheme?
  }

  /// No large server rejects draft-cavage, and many read nothing else; RFC 9421 is the second knock on 400 and 401.
  func send(_ delivery: Delivery, knownScheme: Peer.Scheme?) async -> Result {
    let first = knownScheme ?? .cavage
    let outcome = await attempt(delivery, first)
    if outcome.isSuccess { return Result(outcome: outcome, accepted: first) }
    guard case .answered(let status, _) = outcome, status == 400 || status == 401 else {
      return Result(outcome: outcome)
    }
    let second: Peer.Scheme = first == .cavage ? .rfc9421 : .cavage
    let again = await attempt(delivery, second)
    // A peer that does not know the second scheme complains about that; what it said to the first counts.
    return again.isSuccess ? Result(outcome: again, accepted: second) : Result(outcome: outcome)
  }

  private func attempt(_ delivery: Delivery, _ scheme: Peer.Scheme) async -> DeliveryOutcome {
    let key: SigningKey
    do { key = try await keys.keys(of: delivery.senderID).rsa } catch { return .failed(.notPrepared) }
    let digest = ContentDigest(of: delivery.body)
    let time = time
    let request = OutgoingRequest(
      url: delivery.inbox, body: delivery.body, maximumResponse: Limits.deliveryAnswer
    ) { target in
      let facts = RequestFacts(
        method: target.method.rawValue, url: target.url, fields: [("content-type", "application/activity+json")],
        body: digest)
      let signed = try key.sign(facts, by: scheme == .cavage ? .cavage : .messageSignature, at: time.now())
      return signed.all.map { HeaderField($0.name, $0.value) }
    }
    do {
      let response = try await client.post(request)
      return .answered(status: response.status, retryAfter: retryAfter(response))
    } catch {
      return .failed(error)
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
