import HTTPTypes
import Hummingbird
import Primitives

/// What a request wants of an address that is both a page and a document.
package enum Representation: Hashable, Sendable {
  case activity, page

  /// The heavier weight wins, and of equals the one named first. `*/*` asks for a page: browsers and previews send it.
  package init(accept: [String]) {
    var best: (quality: Double, representation: Representation) = (0, .page)
    for range in accept.joined(separator: ",").prefix(Self.longest).split(separator: ",").prefix(Self.most) {
      let parts = range.split(separator: ";").map { $0.trimmingOWS().lowercased() }
      guard let type = parts.first, let representation = Self.representation(of: type) else { continue }
      let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      if quality.isFinite, quality > best.quality { best = (quality, representation) }
    }
    self = best.representation
  }

  private static let longest = 4_096
  private static let most = 32

  private static func representation(of type: String) -> Representation? {
    switch type {
    // Lemmy and older servers ask for plain JSON, or for JSON-LD without its profile.
    case "application/activity+json", "application/ld+json", "application/json": .activity
    case "text/html", "application/xhtml+xml": .page
    default: nil
    }
  }
}

extension Substring {
  fileprivate func trimmingOWS() -> Substring {
    var rest = self
    while rest.first == " " || rest.first == "\t" { rest = rest.dropFirst() }
    while rest.last == " " || rest.last == "\t" { rest = rest.dropLast() }
    return rest
  }
}

extension Request {
  var representation: Representation { Representation(accept: headers[values: .accept]) }
}
