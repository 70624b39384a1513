import Primitives

/// A private key with the id under which peers find its public half.
package struct SigningKey: Sendable {
  package let id: IRI
  package let key: PrivateKey

  package init(id: IRI, key: PrivateKey) {
    self.id = id
    self.key = key
  }

  /// The fields of `request` with everything a peer needs to verify it: `Host`, `Date`, the digest when there is a body,
  /// and the signature. What is given in `request.fields` stays as it is; what is in `alsoCovering` (lower-cased, and
  /// present among the fields) is signed too, as `collection-synchronization` has to be (FEP-8fcf).
  package func sign(
    _ request: RequestFacts, by scheme: SignatureClaim.Scheme = .cavage, at now: Timestamp,
    alsoCovering extra: [String] = []
  ) throws(SignatureFailure) -> HeaderFields {
    switch scheme {
    case .cavage: try signCavage(request, at: now, extra: extra)
    case .messageSignature: try signMessage(request, at: now, extra: extra, asked: nil)
    }
  }

  /// As `sign(_:by:at:alsoCovering:)`, by what the peer has asked for.
  package func sign(
    _ request: RequestFacts, as style: SignatureKnocking.Style, at now: Timestamp, alsoCovering extra: [String] = []
  ) throws(SignatureFailure) -> HeaderFields {
    switch style {
    case .cavage: try signCavage(request, at: now, extra: extra)
    case .message(let asked): try signMessage(request, at: now, extra: extra, asked: asked)
    }
  }

  private func hasBody(_ request: RequestFacts) -> Bool { !["GET", "HEAD"].contains(request.method) }

  /// The order of draft-cavage that every implementation accepts: `(request-target) host date digest content-type`.
  private func signCavage(
    _ request: RequestFacts, at now: Timestamp, extra: [String]
  ) throws(SignatureFailure) -> HeaderFields {
    var request = request
    var covered = ["(request-target)", "host", "date"]
    if request.fields["date"] == nil { request.fields.append("date", now.httpDate) }
    if hasBody(request) {
      if request.fields["digest"] == nil { request.fields.append("digest", request.body.digestField) }
      covered.append("digest")
      if request.fields["content-type"] != nil { covered.append("content-type") }
    }
    covered += extra
    let base = try SignatureBase.cavage(request, covering: covered)
    let signature = Base64.encode(try key.signature(for: base.bytes))
    // Mastodon takes `rsa-sha256` and `hs2019` alone, and with the first forbids `(created)`, which is not used here.
    let algorithm =
      switch key {
      case .rsa: "rsa-sha256"
      case .ed25519: "hs2019"
      }
    let headers = covered.joined(separator: " ")
    request.fields.append(
      "signature",
      "keyId=\"\(id.text)\",algorithm=\"\(algorithm)\",headers=\"\(headers)\",signature=\"\(signature)\"")
    return request.fields
  }

  /// What Mastodon 4.5 demands of RFC 9421: `@method`, `@target-uri` and `content-digest`, `created` and `keyid`.
  private func signMessage(
    _ request: RequestFacts, at now: Timestamp, extra: [String], asked: SignatureRequest?
  ) throws(SignatureFailure) -> HeaderFields {
    var request = request
    var covered = ["@method", "@target-uri"]
    if hasBody(request) {
      if request.fields["content-digest"] == nil {
        request.fields.append("content-digest", request.body.contentDigestField)
      }
      covered.append("content-digest")
    }
    covered += extra
    let wanted = asked?.components ?? []
    if wanted.contains("date"), request.fields["date"] == nil { request.fields.append("date", now.httpDate) }
    if wanted.contains("digest"), request.fields["digest"] == nil {
      request.fields.append("digest", request.body.digestField)
    }
    covered += wanted.filter { !covered.contains($0) }
    let input = StructuredFields.InnerList(
      covered.map { StructuredFields.Item(.string($0)) }, parameters(at: now, asked: asked))
    let base = try SignatureBase.message(request, input: input)
    let signature = StructuredFields.BareItem.bytes(try key.signature(for: base.bytes))
    let label = asked?.label ?? "sig1"
    request.fields.append("signature-input", "\(label)=\(input.text)")
    request.fields.append("signature", "\(label)=\(signature.text)")
    return request.fields
  }

  private func parameters(at now: Timestamp, asked: SignatureRequest?) -> StructuredFields.Parameters {
    var all: [StructuredFields.Parameters.Parameter] = [
      .init("created", .integer(now.secondsSince1970)), .init("keyid", .string(id.text)),
    ]
    guard let asked else { return StructuredFields.Parameters(all) }
    switch (asked.algorithm, key) {
    case (.any, _): break
    case (_, .rsa): all.append(.init("alg", .string("rsa-v1_5-sha256")))
    case (_, .ed25519): all.append(.init("alg", .string("ed25519")))
    }
    if asked.wantsExpiry {
      all.append(.init("expires", .integer(now.adding(Limits.signatureDefaultExpiry).secondsSince1970)))
    }
    if let nonce = asked.nonce { all.append(.init("nonce", .string(nonce))) }
    if let tag = asked.tag { all.append(.init("tag", .string(tag))) }
    return StructuredFields.Parameters(all)
  }
}
