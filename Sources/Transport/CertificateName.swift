import NIOSSL

/// RFC 9525 §6.3: which DNS names a certificate speaks for. The common name is not asked.
enum CertificateName {
  static func matches(_ name: String, _ certificate: NIOSSLCertificate) -> Bool {
    certificate._subjectAlternativeNames().contains { alternative in
      guard alternative.nameType == .dnsName else { return false }
      return matches(name, String(decoding: Array(alternative.contents), as: UTF8.self))
    }
  }

  /// Exact, or with a first label that is an asterisk and stands for exactly one label.
  static func matches(_ name: String, _ presented: String) -> Bool {
    let name = name.lowercased()
    let presented = presented.lowercased()
    guard presented.hasPrefix("*.") else { return name == presented }
    let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let parent = presented.dropFirst(2)
    return parts.count == 2 && !parts[0].isEmpty && parent.contains(".") && parts[1] == parent
  }
}
