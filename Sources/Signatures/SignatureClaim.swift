import Primitives

/// What a message's signature says of itself, after every check that needs no key.
///
/// Making one is cheap and asks nobody anything, so a caller can refuse stale, misaddressed, altered and malformed
/// requests before it fetches a stranger's key.
package struct SignatureClaim: Hashable, Sendable {
  package enum Scheme: String, Hashable, Sendable, Codable, CaseIterable { case cavage, messageSignature }

  /// What the signature's algorithm may be. `unstated` and `hs2019` leave it to the key.
  package enum Algorithm: Hashable, Sendable { case rsaSHA256, rsaSHA512, ed25519, byKey }

  package let scheme: Scheme
  /// The key's id as the signature names it, fragment included, compared byte for byte.
  package let keyID: IRI
  package let algorithm: Algorithm
  /// When the signature was made: `(created)` or `created` when signed, else `Date`.
  package let madeAt: Timestamp
  /// Tried in order. Two for draft-cavage with a query, since Mastodon before 4.3 signed the path alone.
  package let bases: [SignatureBase]
  package let signature: [UInt8]
  /// Lower-cased names of the whole fields and components the signature speaks for.
  package let covered: Set<String>

  /// Parses the one signature of `message` and checks coverage, addressee, time and digest, in that order.
  package init(of message: RequestFacts, at now: Timestamp) throws(SignatureFailure) {
    let signatures = message.fields.lines("signature")
    let inputs = message.fields.lines("signature-input")
    guard !signatures.isEmpty else { throw .missing }
    if inputs.isEmpty {
      guard signatures.count == 1, let line = signatures.first else { throw .ambiguous }
      try self.init(cavage: try CavageHeader(parsing: line), of: message, at: now)
    } else {
      let fields = try MessageSignatureFields(input: inputs, signature: signatures)
      try self.init(messageSignature: fields, of: message, at: now)
    }
  }

  /// Accepts `subject`, which is what the signed body was parsed into, on the word of `key`.
  ///
  /// The caller has found `key` under `keyID`, and parses `subject` from the very bytes whose digest is in the facts.
  package func verify<Subject: Sendable>(
    _ subject: Subject, with key: PublicKey
  ) throws(SignatureFailure) -> Verified<Subject> {
    let attempts = try key.attempts(for: algorithm)
    for base in bases {
      let bytes = base.bytes
      for attempt in attempts where key.isValid(signature, for: bytes, by: attempt) {
        return Verified(subject, signer: keyID)
      }
    }
    throw .bad
  }
}

extension SignatureClaim {
  private init(cavage header: CavageHeader, of message: RequestFacts, at now: Timestamp) throws(SignatureFailure) {
    scheme = .cavage
    signature = header.signature
    algorithm = try SignatureClaim.cavageAlgorithm(header.algorithm)
    keyID = try SignatureClaim.keyID(header.keyID, of: message)
    // draft-cavage-12 §2.3: the pseudo-headers belong to hs2019; without `headers` the default is `(created)`.
    let covered = header.headers ?? ["(created)"]
    self.covered = Set(covered)
    let usesTimes = covered.contains("(created)") || covered.contains("(expires)")
    if usesTimes, algorithm == .rsaSHA256 || algorithm == .rsaSHA512 {
      throw .malformed("(created) or (expires) with an rsa algorithm")
    }
    try SignatureClaim.checkCavageCoverage(covered, of: message)
    guard message.authority != nil else { throw .host }
    if covered.contains("(created)") {
      guard let created = header.created else { throw .malformed("(created) without created") }
      madeAt = Timestamp(secondsSince1970: created)
    } else {
      guard let text = message.fields["date"], let date = Timestamp(httpDate: text) else { throw .malformed("Date") }
      madeAt = date
    }
    // An expiry nobody signed could be moved by anyone, so it is not looked at.
    let expires = covered.contains("(expires)") ? header.expires : nil
    try SignatureClaim.checkTime(
      madeAt: madeAt, expires: expires.map { Timestamp(secondsSince1970: $0) }, now: now)
    try SignatureClaim.checkDigests(of: message, covered: covered)
    let full = try SignatureBase.cavage(message, covering: covered, created: header.created, expires: header.expires)
    if message.query != nil {
      let short = try SignatureBase.cavage(
        message, covering: covered, created: header.created, expires: header.expires, withQuery: false)
      bases = [full, short]
    } else {
      bases = [full]
    }
  }

  private init(
    messageSignature fields: MessageSignatureFields, of message: RequestFacts, at now: Timestamp
  ) throws(SignatureFailure) {
    scheme = .messageSignature
    signature = fields.signature
    let parameters = fields.input.parameters
    algorithm = try SignatureClaim.messageAlgorithm(parameters["alg"])
    guard case .string(let text)? = parameters["keyid"] else { throw .malformed("no keyid") }
    keyID = try SignatureClaim.keyID(text, of: message)
    var covered: [String] = []
    for item in fields.input.items {
      guard case .string(let name) = item.value else { throw .malformed("a component that is no string") }
      // Only a bare component covers the whole of what it names.
      if item.parameters.all.isEmpty { covered.append(name) }
    }
    self.covered = Set(covered)
    guard case .integer(let created)? = parameters["created"] else { throw .uncovered("created") }
    try SignatureClaim.checkMessageCoverage(covered, of: message)
    guard message.authority != nil else { throw .host }
    madeAt = Timestamp(secondsSince1970: created)
    var expires: Timestamp?
    if let value = parameters["expires"] {
      guard case .integer(let seconds) = value else { throw .malformed("expires") }
      expires = Timestamp(secondsSince1970: seconds)
    }
    try SignatureClaim.checkTime(madeAt: madeAt, expires: expires, now: now)
    try SignatureClaim.checkDigests(of: message, covered: covered)
    bases = [try SignatureBase.message(message, input: fields.input)]
  }

  private static func cavageAlgorithm(_ name: String?) throws(SignatureFailure) -> Algorithm {
    switch name {
    case nil, "hs2019": return .byKey
    case "rsa-sha256": return .rsaSHA256
    case "rsa-sha512": return .rsaSHA512
    case "ed25519": return .ed25519
    default: throw .algorithm
    }
  }

  private static func messageAlgorithm(_ value: StructuredFields.BareItem?) throws(SignatureFailure) -> Algorithm {
    switch value {
    case nil: return .byKey
    case .string("rsa-v1_5-sha256"): return .rsaSHA256
    case .string("ed25519"): return .ed25519
    default: throw .algorithm
    }
  }

  private static func keyID(_ text: String, of message: RequestFacts) throws(SignatureFailure) -> IRI {
    guard let iri = IRI(text) else { throw .keyUnsupported }
    // Our own key on a request from outside would make us fetch from ourselves, or trust what we never sent.
    guard !message.isAddressed(to: iri.host) else {
      throw .keyLocal
    }
    return iri
  }
}

// What has to be covered. A valid signature over less is refused: what it leaves out, anyone may have changed.

extension SignatureClaim {
  private static func carriesBody(_ message: RequestFacts) -> Bool {
    !["GET", "HEAD"].contains(message.method.uppercased())
  }

  private static func checkCavageCoverage(_ covered: [String], of message: RequestFacts) throws(SignatureFailure) {
    guard covered.contains("host") else { throw .host }
    guard covered.contains("(request-target)") else { throw .uncovered("(request-target)") }
    guard covered.contains("date") || covered.contains("(created)") else { throw .uncovered("time") }
    try checkBodyCoverage(covered, of: message)
  }

  private static func checkMessageCoverage(_ covered: [String], of message: RequestFacts) throws(SignatureFailure) {
    guard covered.contains("@authority") || covered.contains("@target-uri") || covered.contains("host") else {
      throw .host
    }
    guard covered.contains("@method") else { throw .uncovered("@method") }
    let coversPath = covered.contains("@path") && (message.query == nil || covered.contains("@query"))
    guard covered.contains("@target-uri") || covered.contains("@request-target") || coversPath else {
      throw .uncovered("@target-uri")
    }
    try checkBodyCoverage(covered, of: message)
  }

  private static func checkBodyCoverage(_ covered: [String], of message: RequestFacts) throws(SignatureFailure) {
    guard carriesBody(message) else { return }
    let names = ["digest", "content-digest"]
    guard names.contains(where: { message.fields[$0] != nil }) else { throw .digestMissing }
    guard names.contains(where: { covered.contains($0) && message.fields[$0] != nil }) else {
      throw .uncovered("digest")
    }
  }

  /// Every digest the signature covers has to be that of the body, on a GET too.
  private static func checkDigests(of message: RequestFacts, covered: [String]) throws(SignatureFailure) {
    if covered.contains("digest"), let text = message.fields["digest"] { try message.body.check(digestField: text) }
    if covered.contains("content-digest"), let text = message.fields["content-digest"] {
      try message.body.check(contentDigestField: text)
    }
  }

  /// The signature is good from an hour before it was made, clocks being what they are, until five minutes and an hour
  /// after; or until the expiry it states, to the second, but never longer than twelve hours.
  private static func checkTime(madeAt: Timestamp, expires: Timestamp?, now: Timestamp) throws(SignatureFailure) {
    guard now.adding(Limits.signatureWindow) >= madeAt else { throw .time }
    guard let expires else {
      let end = madeAt.adding(Limits.signatureDefaultExpiry).adding(Limits.signatureWindow)
      guard now <= end else { throw .time }
      return
    }
    guard expires >= madeAt, now <= min(expires, madeAt.adding(Limits.signatureExpiryCap)) else { throw .time }
  }
}
