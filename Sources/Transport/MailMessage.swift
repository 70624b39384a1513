import Primitives

/// One plain text mail (RFC 5322), with the only headers it can have.
package struct MailMessage: Hashable, Sendable {
  package var from: EmailAddress
  /// What stands before the sender's address; control characters are dropped.
  package var fromName: String
  package var to: EmailAddress
  package var subject: String
  /// Lines end with a line feed.
  package var text: String
  package var date: Timestamp
  /// Left of the `@` in the message id. The same for every try, so that a second copy is recognised as one.
  package var id: String

  package init(
    from: EmailAddress, fromName: String, to: EmailAddress, subject: String, text: String, date: Timestamp, id: String
  ) {
    self.from = from
    self.fromName = fromName
    self.to = to
    self.subject = subject
    self.text = text
    self.date = date
    self.id = id
  }

  /// Lines of at most 76 bytes that end with CRLF; none begins with a full stop.
  package var bytes: [UInt8] {
    let token = id.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    let zone = date.httpDate.hasSuffix("GMT") ? date.httpDate.dropLast(3) + "+0000" : Substring(date.httpDate)
    let sender = Self.isPlain(fromName) ? "\"\(fromName)\"" : Self.words(fromName)
    let head = [
      "Date: \(zone)", "From: \(sender) <\(from)>", "To: <\(to)>", "Message-ID: <\(token)@\(from.domain)>",
      "Subject: \(Self.isPlain(subject) ? subject : Self.words(subject))", "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable",
      // RFC 3834: no holiday notes in answer.
      "Auto-Submitted: auto-generated",
    ]
    return Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + Self.quotedPrintable(text)
  }

  /// What may stand in a header as it is, and between quotes.
  private static func isPlain(_ text: String) -> Bool {
    (1...60).contains(text.utf8.count) && !text.contains("=?")
      && text.utf8.allSatisfy { (32...126).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  }

  /// Header text in RFC 2047 encoded words, whatever it holds: a line break in a name must not begin a header
  /// (case P342). A word has at most 75 characters, so 42 bytes of text at a time, cut between scalars.
  private static func words(_ text: String) -> String {
    var chunks: [[UInt8]] = [[]]
    for scalar in text.unicodeScalars where scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value) {
      let bytes = Array(String(scalar).utf8)
      if (chunks.last?.count ?? 0) + bytes.count > 42 { chunks.append([]) }
      chunks[chunks.count - 1] += bytes
      if chunks.count > 8 { break }
    }
    return chunks.filter { !$0.isEmpty }.map { "=?utf-8?B?\(Base64.encode($0))?=" }.joined(separator: "\r\n ")
  }

  /// RFC 2045 §6.7. A full stop that would begin a line is written in digits, so that nothing needs stuffing.
  private static func quotedPrintable(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var width = 0
      let bytes = Array(line.utf8).filter { $0 != 13 }
      for (index, byte) in bytes.enumerated() {
        let isLast = index == bytes.count - 1
        let isPlain =
          (33...126).contains(byte) && byte != UInt8(ascii: "=") && !(width == 0 && byte == UInt8(ascii: "."))
          || byte == 32 && !isLast
        let piece = isPlain ? [byte] : Array("=\(Hex.encode([byte]).uppercased())".utf8)
        if width + piece.count > 75 {
          out += Array("=\r\n".utf8)
          width = 0
          if byte == UInt8(ascii: ".") {
            out += Array("=2E".utf8)
            width = 3
            continue
          }
        }
        out += piece
        width += piece.count
      }
      out += [13, 10]
    }
    return out
  }
}
