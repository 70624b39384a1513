import Primitives

/// RFC 7033.
package struct WebFinger: Hashable, Sendable {
  package struct Link: Hashable, Sendable {
    package var rel: String
    package var type: String?
    package var href: String?
    package var template: String?

    package init(rel: String, type: String? = nil, href: String? = nil, template: String? = nil) {
      self.rel = rel
      self.type = type
      self.href = href
      self.template = template
    }
  }

  package static let contentType = "application/jrd+json"
  package static let serverRelation = "https://www.w3.org/ns/activitystreams#Service"

  package var subject: String
  package var aliases: [String]
  package var links: [Link]

  package init(subject: String, aliases: [String] = [], links: [Link]) {
    self.subject = subject
    self.aliases = aliases
    self.links = links
  }

  /// An account; `subscribe` is a template with `{uri}`.
  package static func account(_ handle: Handle, actor: IRI, page: IRI, subscribe: String?) -> WebFinger {
    var links = [
      Link(rel: "http://webfinger.net/rel/profile-page", type: "text/html", href: page.text),
      Link(rel: "self", type: Names.mediaType, href: actor.text),
    ]
    if let subscribe { links.append(Link(rel: "http://ostatus.org/schema/1.0/subscribe", template: subscribe)) }
    return WebFinger(subject: "acct:\(handle)", aliases: [page.text, actor.text], links: links)
  }

  /// FEP-d556: the server's own actor, found by the server's origin.
  package static func server(_ origin: IRI, actor: IRI) -> WebFinger {
    WebFinger(
      subject: origin.text, aliases: [actor.text],
      links: [
        Link(rel: serverRelation, type: Names.mediaType, href: actor.text),
        Link(rel: "self", type: Names.mediaType, href: actor.text),
      ])
  }

  package init?(reading json: JSON) {
    guard let node = Node(json), let subject = node.text("subject", bytes: Limits.iriBytes) else { return nil }
    self.init(
      subject: subject,
      aliases: node.values("aliases").prefix(Limits.receivedAliases).compactMap(\.string),
      links: node.nodes("links", limit: Limits.receivedAliases).compactMap { link in
        link.text("rel", bytes: Limits.iriBytes).map {
          Link(
            rel: $0, type: link.text("type"), href: link.text("href", bytes: Limits.iriBytes),
            template: link.text("template", bytes: Limits.iriBytes))
        }
      })
  }

  /// The actor the answer leads to, by either ActivityPub media type.
  package var actor: IRI? {
    let found = links.first { link in
      link.rel == "self" && (link.type == Names.mediaType || link.type?.hasPrefix("application/ld+json") == true)
    }
    return found?.href.flatMap { IRI($0) }
  }

  package var json: JSON {
    JSON.members([
      "subject": .string(subject), "aliases": aliases.isEmpty ? nil : .array(aliases.map { .string($0) }),
      "links": .array(
        links.map {
          JSON.members([
            "rel": .string($0.rel), "type": $0.type.map { .string($0) }, "href": $0.href.map { .string($0) },
            "template": $0.template.map { .string($0) },
          ])
        }),
    ])
  }
}

/// RFC 6415, which Phanpy's login reads.
package enum HostMeta {
  private static func template(_ origin: String) -> String { "\(origin)/.well-known/webfinger?resource={uri}" }

  /// `origin` as `IRI.origin` gives it: no character in it needs escaping.
  package static func xml(origin: String) -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="lrdd" type="application/jrd+json" \
    template="\(template(origin))"/></XRD>
    """
  }

  package static func json(origin: String) -> JSON {
    ["links": [["rel": "lrdd", "type": .string(WebFinger.contentType), "template": .string(template(origin))]]]
  }
}

/// NodeInfo 2.0 and 2.1. Statistics are true or absent (FEP-0151), and capabilities are not told here (FEP-844e).
package struct NodeInfo: Hashable, Sendable {
  package enum Version: String, Hashable, Sendable, CaseIterable {
    case v20 = "2.0"
    case v21 = "2.1"
  }

  package var softwareName: String
  package var softwareVersion: String
  package var repository: String?
  package var homepage: String?
  package var openRegistrations: Bool
  package var usersTotal: Int?
  package var usersActiveMonth: Int?
  package var usersActiveHalfyear: Int?
  package var localPosts: Int?
  /// `nodeName`, `nodeDescription`, `staffAccounts`, `federation`, `noai`.
  package var metadata: JSON

  package init(softwareName: String, softwareVersion: String, openRegistrations: Bool, metadata: JSON = [:]) {
    self.softwareName = softwareName
    self.softwareVersion = softwareVersion
    self.openRegistrations = openRegistrations
    self.metadata = metadata
  }

  package static func contentType(_ version: Version) -> String {
    "application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/\(version.rawValue)#\""
  }

  /// `/.well-known/nodeinfo`
  package static func links(origin: String) -> JSON {
    [
      "links": .array(
        Version.allCases.map {
          [
            "rel": .string("http://nodeinfo.diaspora.software/ns/schema/\($0.rawValue)"),
            "href": .string("\(origin)/nodeinfo/\($0.rawValue)"),
          ]
        })
    ]
  }

  package func json(_ version: Version) -> JSON {
    let isNew = version == .v21
    return [
      "version": .string(version.rawValue),
      "software": JSON.members([
        "name": .string(softwareName), "version": .string(softwareVersion),
        "repository": isNew ? repository.map { .string($0) } : nil,
        "homepage": isNew ? homepage.map { .string($0) } : nil,
      ]),
      "protocols": ["activitypub"], "services": ["inbound": [], "outbound": []],
      "openRegistrations": .bool(openRegistrations),
      "usage": JSON.members([
        "users": JSON.members([
          "total": usersTotal.map { .integer(Int64($0)) }, "activeMonth": usersActiveMonth.map { .integer(Int64($0)) },
          "activeHalfyear": usersActiveHalfyear.map { .integer(Int64($0)) },
        ]),
        "localPosts": localPosts.map { .integer(Int64($0)) },
      ]),
      "metadata": metadata,
    ]
  }
}
