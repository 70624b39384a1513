/// `text` as the content of an HTML or XML element. Characters no XML document may hold are left out.
package func escapedText(_ text: some StringProtocol) -> String { escaped(text, quoted: false) }

/// `text` as an HTML or XML attribute value, for single or double quotes.
package func escapedAttribute(_ text: some StringProtocol) -> String { escaped(text, quoted: true) }

private func escaped(_ text: some StringProtocol, quoted: Bool) -> String {
  var out = String.UnicodeScalarView()
  for scalar in text.unicodeScalars where isPermitted(scalar) {
    switch scalar {
    case "&": out.append(contentsOf: "&amp;".unicodeScalars)
    case "<": out.append(contentsOf: "&lt;".unicodeScalars)
    case ">": out.append(contentsOf: "&gt;".unicodeScalars)
    case "\"" where quoted: out.append(contentsOf: "&quot;".unicodeScalars)
    case "'" where quoted: out.append(contentsOf: "&#39;".unicodeScalars)
    default: out.append(scalar)
    }
  }
  return String(out)
}

/// JSON text for a `<script type="application/json">` block: `</script>` and the two line separators that older
/// scripts read as line ends are written as escapes.
package func escapedForScript(json: String) -> String {
  var out = ""
  for scalar in json.unicodeScalars {
    switch scalar {
    case "<": out += "\\u003c"
    case ">": out += "\\u003e"
    case "&": out += "\\u0026"
    case "\u{2028}": out += "\\u2028"
    case "\u{2029}": out += "\\u2029"
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out
}

/// Whether XML 1.0 §2.2 permits the scalar, less DEL and the C1 controls, which no person types.
func isPermitted(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x09, 0x0a: true
  case 0x00...0x1f, 0x7f...0x9f: false
  case 0xfdd0...0xfdef: false
  default: scalar.value & 0xfffe != 0xfffe
  }
}

/// `text` cut to at most `bytes` bytes of UTF-8, never inside a scalar.
func prefix(_ text: String, bytes: Int) -> String {
  guard text.utf8.count > bytes else { return text }
  var end = text.utf8.index(text.startIndex, offsetBy: bytes)
  while end > text.startIndex, UTF8.isContinuation(text.utf8[end]) { end = text.utf8.index(before: end) }
  return String(text[..<end])
}
