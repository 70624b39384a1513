/// `user@host`, as people write it: with or without a leading `@` or `acct:`.
package struct Handle: Hashable, Sendable, LosslessStringConvertible {
  package let username: String
  package let host: Host

  package init(username: String, host: Host) {
    self.username = username
    self.host = host
  }

  package init?(_ text: String) {
    var rest = text[...]
    if rest.hasPrefix("acct:") { rest = rest.dropFirst(5) }
    if rest.hasPrefix("@") { rest = rest.dropFirst() }
    let parts = rest.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, Handle.isUsername(parts[0]), let host = Host(String(parts[1])) else { return nil }
    username = String(parts[0])
    self.host = host
  }

  package var description: String { "\(username)@\(host.text)" }

  /// `^\w([\w.-]*\w)?$`, at most 128 characters: the rule Misskey applies to `preferredUsername`.
  package static func isUsername(_ text: some StringProtocol) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last, bytes.count <= 128 else { return false }
    func isWord(_ byte: UInt8) -> Bool { isASCIILetterOrDigit(byte) || byte == UInt8(ascii: "_") }
    return isWord(first) && isWord(last)
      && bytes.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
  }
}
