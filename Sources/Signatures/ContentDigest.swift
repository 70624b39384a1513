import Crypto
import Primitives

/// SHA-256 of a body or a file, and the ways the fediverse writes it.
package struct ContentDigest: Hashable, Sendable {
  /// 32 bytes.
  package let bytes: [UInt8]

  package init(of content: [UInt8]) { bytes = Array(SHA256.hash(data: content)) }

  package init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  package static let empty = ContentDigest(of: [])

  /// `SHA-256=…`, the value of the `Digest` field (RFC 3230), upper-case because old readers compare it so.
  package var digestField: String { "SHA-256=\(Base64.encode(bytes))" }

  /// `sha-256=:…:`, the value of the `Content-Digest` field (RFC 9530).
  package var contentDigestField: String { "sha-256=:\(Base64.encode(bytes)):" }

  /// `zQm…`: a sha2-256 multihash in base58btc, the value of `digestMultibase`.
  package var multibase: String { "z" + Base58.encode([0x12, 0x20] + bytes) }

  package init?(multibase text: some StringProtocol) {
    guard text.utf8.first == UInt8(ascii: "z"), let all = Base58.decode(text.dropFirst()), all.count == 34,
      all.starts(with: [0x12, 0x20])
    else { return nil }
    bytes = Array(all.dropFirst(2))
  }

  /// Holds a `Digest` field against these bytes. Other hashes beside SHA-256 prove nothing more and are passed over.
  package func check(digestField text: String) throws(SignatureFailure) {
    guard text.utf8.count <= Limits.signatureFieldBytes else { throw .malformed("Digest is too long") }
    let members = text.split(separator: ",", omittingEmptySubsequences: false)
    guard members.count <= Limits.digestsPerField else { throw .malformed("too many digests") }
    var found: String?
    for member in members {
      let pair = trimmed(member).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else { throw .malformed("a digest without a value") }
      guard asciiLowercased(String(pair[0])) == "sha-256" else { continue }
      guard found == nil else { throw .malformed("SHA-256 twice in Digest") }
      found = String(pair[1])
    }
    guard let found else { throw .digestAlgorithm }
    // Only the canonical text is a match: a lenient decoder somewhere else would read another value from another one.
    guard let claimed = Base64.decode(found), isEqualInConstantTime(claimed, bytes) else { throw .digestMismatch }
  }

  /// Holds a `Content-Digest` field against these bytes; sha-512 beside sha-256 is passed over.
  package func check(contentDigestField text: String) throws(SignatureFailure) {
    guard text.utf8.count <= Limits.signatureFieldBytes else { throw .malformed("Content-Digest is too long") }
    guard let dictionary = StructuredFields.Dictionary(parsing: text, duplicates: .refused),
      dictionary.members.count <= Limits.digestsPerField
    else {
      // A base64 that is not canonical makes the whole field unreadable; it is a digest that does not match.
      throw .digestMismatch
    }
    guard let member = dictionary["sha-256"] else { throw .digestAlgorithm }
    guard case .item(let item) = member, case .bytes(let claimed) = item.value, isEqualInConstantTime(claimed, bytes)
    else { throw .digestMismatch }
  }
}
