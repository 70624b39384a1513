/// An address that mail can be sent to: RFC 5321 `dot-atom@domain` in ASCII, and nothing else.
///
/// The one parser of the product. Quoted local parts, comments, routes and literals are legal and have let two readers
/// of one address disagree on its domain (CVE-2026-41259), so they are refused; so is whatever could end a header line
/// or an SMTP command.
package struct EmailAddress: Hashable, Sendable, LosslessStringConvertible {
  /// As written: only its own server knows whether case matters.
  package let local: String
  /// Lower-case.
  package let domain: String

  package init?(_ text: String) {
    // One `@`: with two, whoever splits at the first and whoever splits at the last see two domains.
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard text.utf8.count <= Limits.emailBytes, parts.count == 2, let name = parts.first, let host = parts.last,
      (1...64).contains(name.utf8.count), EmailAddress.isDotAtom(name), EmailAddress.isDomain(host)
    else { return nil }
    local = String(name)
    domain = host.lowercased()
  }

  package var description: String { "\(local)@\(domain)" }
  /// What two ways to write one mailbox have in common, as far as this server tells them apart.
  package var key: String { description.lowercased() }
  /// What limits count by: dots and a `+tag` make no other mailbox at the large providers (CVE-2025-64526).
  package var bucket: String { local.lowercased().prefix { $0 != "+" }.filter { $0 != "." } + "@" + domain }

  /// Whether mail to it would be for `domain` or a name under it. The comparison is by whole labels.
  package func isAt(_ domain: String) -> Bool { self.domain == domain || self.domain.hasSuffix("." + domain) }

  /// A host name that mail may be addressed to, such as `mail.example`; its labels are letters, digits and hyphens.
  package static func isDomain(_ text: some StringProtocol) -> Bool {
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    // Accounts made at a terminal may be at the machine itself.
    guard text.utf8.count <= 253, labels.count >= 2 || text == "localhost", let last = labels.last,
      last.utf8.contains(where: { !(48...57).contains($0) })
    else { return false }
    return labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
        && label.utf8.allSatisfy {
          (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45
        }
    }
  }

  /// Without `%` and `!`, by which old relays forward to somewhere else.
  private static func isDotAtom(_ text: some StringProtocol) -> Bool {
    text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
      !atom.isEmpty
        && atom.utf8.allSatisfy {
          (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0)
            || "#$&'*+-/=?^_`{|}~".utf8.contains($0)
        }
    }
  }
}

extension Limits {
  /// RFC 5321 §4.5.3.1.3: a path has 256 bytes with its angle brackets.
  package static let emailBytes = 254
}
