import Crypto
import Primitives
import Signatures

/// A signed request with every fault one can think of.
///
/// Written from the two specifications and not with the code under test, so that a mistake there is not repeated here.
package struct Signing: Sendable {
  package enum Scheme: String, Sendable { case none, cavage, rfc9421 }

  package var scheme = Scheme.cavage
  package var actor: RemoteActor
  package var keyID: String
  package var algorithm: String? = "rsa-sha256"
  package var covered: [String]?
  package var now: Timestamp
  /// Seconds from now.
  package var date = 0
  package var created: Int?
  package var expires: Int?
  /// The host that is signed, where it differs from the one that is sent.
  package var signedHost: String?
  package var host: String
  package var scheme9421 = "https"
  package var label = "sig1"
  package var signatureLabel: String?
  /// What is sent as `Digest` or `Content-Digest` instead of the right one; empty sends none.
  package var digest: String?
  /// The digest that is signed, where it differs from the one that is sent.
  package var signedDigest: String?

  package init(as actor: RemoteActor, to host: String, at now: Timestamp) {
    self.actor = actor
    keyID = actor.keyID
    self.host = host
    self.now = now
  }

  package static func digest(of body: [UInt8]) -> String { "SHA-256=" + Base64.encode(Array(SHA256.hash(data: body))) }
  package static func contentDigest(of body: [UInt8]) -> String {
    "sha-256=:" + Base64.encode(Array(SHA256.hash(data: body))) + ":"
  }

  /// The fields that go with the request.
  package func fields(_ method: String, _ target: String, body: [UInt8]) throws -> [(String, String)] {
    switch scheme {
    case .none: [("Date", now.adding(.seconds(date)).httpDate)] + digestField("Digest", Signing.digest(of: body))
    case .cavage: try cavage(method, target, body)
    case .rfc9421: try message(method, target, body)
    }
  }

  private func digestField(_ name: String, _ right: String) -> [(String, String)] {
    let value = digest ?? right
    return value.isEmpty ? [] : [(name, value)]
  }

  private func seconds(_ offset: Int) -> Int64 { now.secondsSince1970 + Int64(offset) }

  private func cavage(_ method: String, _ target: String, _ body: [UInt8]) throws -> [(String, String)] {
    let hasBody = method != "GET"
    let time = now.adding(.seconds(date)).httpDate
    let covered = covered ?? (["(request-target)", "host", "date"] + (hasBody ? ["digest", "content-type"] : []))
    let sent = hasBody ? digestField("Digest", Signing.digest(of: body)) : []
    let lines = covered.map { name in
      let value =
        switch name {
        case "(request-target)": "\(method.lowercased()) \(target)"
        case "(created)": String(seconds(created ?? 0))
        case "(expires)": String(seconds(expires ?? 0))
        case "host": signedHost ?? host
        case "date": time
        case "digest": signedDigest ?? sent.first?.1 ?? ""
        case "content-type": "application/activity+json"
        default: ""
        }
      return "\(name): \(value)"
    }
    let signature = try actor.rsa.signature(for: Array(lines.joined(separator: "\n").utf8))
    var parts = ["keyId=\"\(keyID)\""]
    if let algorithm { parts.append("algorithm=\"\(algorithm)\"") }
    if let created { parts.append("created=\(seconds(created))") }
    if let expires { parts.append("expires=\(seconds(expires))") }
    parts.append("headers=\"\(covered.joined(separator: " "))\"")
    parts.append("signature=\"\(Base64.encode(signature))\"")
    return [("Date", time)] + sent + [("Signature", parts.joined(separator: ","))]
  }

  private func message(_ method: String, _ target: String, _ body: [UInt8]) throws -> [(String, String)] {
    let hasBody = method != "GET"
    let covered = covered ?? (["@method", "@target-uri"] + (hasBody ? ["content-digest"] : []))
    let sent = hasBody ? digestField("Content-Digest", Signing.contentDigest(of: body)) : []
    var parameters = "(" + covered.map { "\"\($0)\"" }.joined(separator: " ") + ")"
    parameters += ";created=\(seconds(created ?? 0))"
    if let expires { parameters += ";expires=\(seconds(expires))" }
    parameters += ";keyid=\"\(keyID)\""
    var lines = covered.map { name in
      let value =
        switch name {
        case "@method": method
        case "@target-uri": "\(scheme9421)://\(signedHost ?? host)\(target)"
        case "@authority", "host": signedHost ?? host
        case "@path": String(target.prefix { $0 != "?" })
        case "content-digest": signedDigest ?? sent.first?.1 ?? ""
        case "date": now.adding(.seconds(date)).httpDate
        default: ""
        }
      return "\"\(name)\": \(value)"
    }
    lines.append("\"@signature-params\": \(parameters)")
    let signature = try actor.rsa.signature(for: Array(lines.joined(separator: "\n").utf8))
    return [("Date", now.adding(.seconds(date)).httpDate)] + sent + [
      ("Signature-Input", "\(label)=\(parameters)"),
      ("Signature", "\(signatureLabel ?? label)=:\(Base64.encode(signature)):"),
    ]
  }
}
