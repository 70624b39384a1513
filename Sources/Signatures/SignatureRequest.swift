import Primitives

/// What one member of an `Accept-Signature` field asks to be signed (RFC 9421 §5).
///
/// A peer that asks may ask for more than we sign by default, never for less: a signature over less would be good for
/// another request, and whoever got it from us could show it to a third server.
package struct SignatureRequest: Hashable, Sendable {
  /// The label the signature has to carry.
  package let label: String
  /// Components wanted beside those that are always signed, in their order.
  let components: [String]
  package let algorithm: Algorithm
  package let keyID: IRI?
  let nonce: String?
  let tag: String?
  let wantsExpiry: Bool

  package enum Algorithm: Hashable, Sendable { case any, rsa, ed25519 }

  /// The first member that can be met for a message with, or without, a body; nil when there is none, or no such field.
  ///
  /// `keys` are the ids we can sign by.
  package init?(acceptSignature text: String, hasBody: Bool, keys: [IRI]) {
    guard text.utf8.count <= Limits.signatureFieldBytes,
      let wanted = StructuredFields.Dictionary(parsing: text, duplicates: .refused)
    else { return nil }
    for entry in wanted.members.prefix(Limits.acceptedSignatures) {
      guard case .innerList(let list) = entry.value, entry.key.utf8.count <= Limits.signatureLabelBytes,
        let request = SignatureRequest(label: entry.key, list, hasBody: hasBody, keys: keys)
      else { continue }
      self = request
      return
    }
    return nil
  }

  private init?(label: String, _ list: StructuredFields.InnerList, hasBody: Bool, keys: [IRI]) {
    guard list.items.count <= Limits.signatureCoveredComponents else { return nil }
    var components: [String] = []
    for item in list.items {
      // Component parameters change what is covered; nobody on this network sends them, and we sign bare ones.
      guard case .string(let name) = item.value, item.parameters.all.isEmpty,
        Self.known.contains(name), hasBody || !Self.ofBody.contains(name)
      else { return nil }
      if !components.contains(name) { components.append(name) }
    }
    self.label = label
    self.components = components
    let parameters = list.parameters
    switch parameters["alg"] {
    case nil: algorithm = .any
    case .string("rsa-v1_5-sha256"): algorithm = .rsa
    case .string("ed25519"): algorithm = .ed25519
    default: return nil
    }
    switch parameters["keyid"] {
    case nil: keyID = nil
    case .string(let text):
      guard let id = IRI(text), keys.contains(id) else { return nil }
      keyID = id
    default: return nil
    }
    guard let nonce = Self.text(parameters["nonce"]), let tag = Self.text(parameters["tag"]) else { return nil }
    self.nonce = nonce.isEmpty ? nil : nonce
    self.tag = tag.isEmpty ? nil : tag
    wantsExpiry = parameters["expires"] != nil
  }

  /// Echoed, so bounded; empty when absent, nil when it is no short text.
  private static func text(_ value: StructuredFields.BareItem?) -> String? {
    switch value {
    case nil: ""
    case .string(let text) where text.utf8.count <= Limits.signatureNonceBytes: text
    default: nil
    }
  }

  private static let ofBody: Set<String> = ["content-digest", "digest", "content-type"]
  private static let known: Set<String> = ofBody.union([
    "@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "host", "date",
  ])

  /// What this server asks of whoever it answers 401: the least that its inboxes and documents accept.
  package static func challenge(hasBody: Bool) -> String {
    hasBody ? #"sig1=("@method" "@target-uri" "content-digest");created"# : #"sig1=("@method" "@target-uri");created"#
  }
}

/// Which signature an exchange carries next, after what the peer said to the last one. Pure; at most three requests.
///
/// Draft-cavage first unless the peer is known to read RFC 9421; after 400 or 401 what `Accept-Signature` asks for, else
/// the other scheme once. A peer that asks again for something else, as one that hands out nonces does, is answered
/// once more.
package struct SignatureKnocking: Hashable, Sendable {
  package enum Style: Hashable, Sendable {
    case cavage
    case message(SignatureRequest?)

    package var scheme: SignatureClaim.Scheme { self == .cavage ? .cavage : .messageSignature }
  }

  /// To be sent now.
  package private(set) var style: Style
  private var rounds = 1
  private var tried: Set<Style> = []

  package init(known: SignatureClaim.Scheme?) { style = known == .messageSignature ? .message(nil) : .cavage }

  /// The next style, or nil when there is no use in knocking again.
  package mutating func next(after status: Int, asked: SignatureRequest?) -> Style? {
    tried.insert(style)
    guard status == 400 || status == 401, rounds < Limits.signatureRounds else { return nil }
    let other: Style = style == .cavage ? .message(nil) : .cavage
    let isFirst = tried.count == 1
    guard let next = asked.map({ Style.message($0) }) ?? (isFirst ? other : nil), !tried.contains(next) else {
      return nil
    }
    rounds += 1
    style = next
    return next
  }
}
