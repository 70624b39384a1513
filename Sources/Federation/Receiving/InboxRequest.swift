import ActivityStreams
import Primitives
import Signatures

/// A request as it came in. Who we are is in `authorities`, from the configuration: the names a request gives itself,
/// in `Host` or `X-Forwarded-Host`, are only compared.
package struct InboxRequest: Hashable, Sendable {
  package var method: String
  /// Path and query as in the request line.
  package var target: String
  package var scheme: String
  package var authorities: [Host]
  package var fields: HeaderFields
  package var body: [UInt8]
  /// The peer's address, which a failed key fetch cools off. Empty when unknown.
  package var remoteAddress: String

  package init(
    method: String = "POST", target: String, scheme: String = "https", authorities: [Host], fields: HeaderFields,
    body: [UInt8] = [], remoteAddress: String = ""
  ) {
    self.method = method
    self.target = target
    self.scheme = scheme
    self.authorities = authorities
    self.fields = fields
    self.body = body
    self.remoteAddress = String(remoteAddress.prefix(Limits.remoteAddressBytes))
  }

  var facts: RequestFacts {
    RequestFacts(
      method: method, target: target, scheme: scheme, authorities: authorities, fields: fields,
      body: body.isEmpty ? .empty : ContentDigest(of: body))
  }

  var source: String? { remoteAddress.isEmpty ? nil : remoteAddress }
}

/// What a peer is told. `code` is stable and is all that says why; `sentence` is for the peer's operator.
package struct InboxAnswer: Hashable, Sendable {
  package let status: Int
  package let code: String
  package let sentence: String
  /// Of a 503.
  package let retryAfter: Duration?

  package init(_ status: Int, _ code: String, _ sentence: String, retryAfter: Duration? = nil) {
    self.status = status
    self.code = code
    self.sentence = sentence
    self.retryAfter = retryAfter
  }

  package var isAccepted: Bool { status == 202 }

  static let stored = InboxAnswer(202, "stored", "Accepted.")
  static let duplicate = InboxAnswer(202, "duplicate", "Accepted before.")
  static let parked = InboxAnswer(202, "parked", "Accepted; the key could not be fetched yet.")
  static let ignored = InboxAnswer(202, "ignored", "There is nothing to do.")
  static let dropped = InboxAnswer(202, "dropped", "Accepted.")
  static let blocked = InboxAnswer(403, "host.blocked", "This server does not federate with yours.")
  static let busy = InboxAnswer(
    503, "busy", "The activity could not be stored just now.", retryAfter: .seconds(60))
  static let keyUnreachable = InboxAnswer(
    503, "key.unavailable", "The key could not be fetched from its host.", retryAfter: .seconds(300))
  static let keyCooling = InboxAnswer(
    503, "key.cooling", "The key could not be fetched a moment ago and is not asked for again yet.",
    retryAfter: Limits.keyCoolOff)

  static func refused(_ failure: SignatureFailure) -> InboxAnswer {
    switch failure.status {
    case 400: InboxAnswer(400, failure.code, "The signature can not be read.")
    case 503: .keyUnreachable
    default: InboxAnswer(401, failure.code, "The request is not authenticated.")
    }
  }

  static func refused(_ error: VocabularyError) -> InboxAnswer {
    InboxAnswer(400, error.code, "The document can not be read.")
  }

  static func refused(_ failure: Ownership.Failure) -> InboxAnswer {
    failure == .signer
      ? .refused(SignatureFailure.actorMismatch)
      : InboxAnswer(400, failure.code, "The activity does not belong to its actor.")
  }
}

/// The little of an activity that decides whether to listen, read before anything is verified.
struct Envelope: Hashable, Sendable {
  let id: IRI
  let actor: IRI
  let type: String
  /// What it is about: of an Undo, Accept or Reject, what the inner activity is about, so that Like and Undo of one
  /// post are worked off in their order.
  let object: IRI?

  init(reading document: Document) throws(VocabularyError) {
    let node = document.node
    type = try node.type(among: Activity.types)
    id = try node.id()
    guard let actor = node.iri("actor") else {
      throw node.values("actor").isEmpty ? .missing(.actor) : .invalid(.actor)
    }
    // Two actors would be one that is checked and one that is robbed.
    guard Set(node.values("actor").map { Node.iri($0) }).count == 1 else { throw .invalid(.actor) }
    self.actor = actor
    let wraps = ["Undo", "Accept", "Reject"].contains(type)
    object = (wraps ? node.node("object")?.iri("object") : nil) ?? node.iri("object")
  }

  /// An actor's farewell.
  var isDeparture: Bool { type == "Delete" && object == actor }

  var orderingKey: String { "in \(actor.host.text) \((object ?? id).text)" }
}
