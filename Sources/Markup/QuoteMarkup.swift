import Primitives

/// `RE:` and a link in the class that readers of quotes leave out (FEP-044f; Mastodon 4.5).
package func quoteLink(to address: IRI) -> String {
  let href = escapedAttribute(address.text)
  return
    "<p class=\"quote-inline\">RE: <a href=\"\(href)\" rel=\"nofollow noopener\">\(escapedText(address.text))</a></p>"
}

/// `html`, not sanitised yet, without the link that stands for a quote where quotes are known. Only the first: there is
/// one, and a text must not be able to hide more of itself.
package func withoutQuoteFallback(_ html: String) -> String {
  let bytes = Array(html.utf8)
  for (open, close) in [("<p class=\"quote-inline\">", "</p>"), ("<span class=\"quote-inline\">", "</span>")] {
    guard let start = place(of: Array(open.utf8), in: bytes[...]),
      let end = place(of: Array(close.utf8), in: bytes[start...])
    else { continue }
    return String(decoding: bytes[..<start] + bytes[(end + close.utf8.count)...], as: UTF8.self)
  }
  return html
}

private func place(of part: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
  guard let first = part.first else { return nil }
  var rest = bytes
  while let next = rest.firstIndex(of: first) {
    if bytes[next...].starts(with: part) { return next }
    rest = bytes[(next + 1)...]
  }
  return nil
}
