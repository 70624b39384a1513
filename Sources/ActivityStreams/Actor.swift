import Primitives

/// A Person, Group, Organization, Service or Application.
package struct Actor: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case person = "Person"
    case group = "Group"
    case organization = "Organization"
    case service = "Service"
    case application = "Application"
  }

  /// A line of the profile. `value` is HTML, not sanitised.
  package struct Field: Hashable, Sendable {
    package var name: String
    package var value: String
    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  package struct Picture: Hashable, Sendable {
    package var url: IRI
    package var mediaType: String?
    package var alt: String?
    package init(url: IRI, mediaType: String? = nil, alt: String? = nil) {
      self.url = url
      self.mediaType = mediaType
      self.alt = alt
    }
  }

  /// FEP-844e: a specification the actor's server implements.
  package struct Implementation: Hashable, Sendable {
    package var href: IRI
    package var name: String?
    package init(href: IRI, name: String? = nil) {
      self.href = href
      self.name = name
    }
  }

  package var id: IRI
  package var kind: Kind
  package var preferredUsername: String?
  package var name: String?
  /// HTML of the peer, not sanitised.
  package var summary: String?
  package var url: IRI?
  package var inbox: IRI?
  package var outbox: IRI?
  package var followers: IRI?
  package var following: IRI?
  package var featured: IRI?
  package var featuredTags: IRI?
  package var sharedInbox: IRI?
  package var published: Timestamp?
  package var updated: Timestamp?
  package var icon: Picture?
  package var image: Picture?
  package var fields: [Field] = []
  package var tags: [Tag] = []
  package var publicKeys: [PublicKey] = []
  package var assertionMethods: [Multikey] = []
  package var manuallyApprovesFollowers = false
  package var discoverable = false
  /// FEP-5feb: absent means no.
  package var indexable = false
  package var memorial = false
  package var suspended = false
  package var movedTo: IRI?
  package var alsoKnownAs: [IRI] = []
  package var attributionDomains: [String] = []
  /// FEP-2c59: the account's own `user@host`.
  package var webfinger: String?
  package var usagePolicy: JSON?
  package var xRobotsTag: String?
  package var contentUsage: String?
  /// FEP-5e53 `SPC`, and Epicyon's `secGPC`: not to be sold or shared. Read, never written.
  package var refusesSharing = false
  package var implements: [Implementation] = []
  package var policyConformance: String?
  /// FEP-844e: the Application that runs this actor.
  package var generator: IRI?
  package var omissions = 0

  package init(id: IRI, kind: Kind) {
    self.id = id
    self.kind = kind
  }

  package static let types = Set(Kind.allCases.map(\.rawValue))

  package init(reading node: Node) throws(VocabularyError) {
    guard let kind = Kind(rawValue: try node.type(among: Actor.types)) else { throw .invalid(.type) }
    self.init(id: try node.id(), kind: kind)
    readProfile(node)
    readLinks(node)
    readKeys(node)
  }

  private mutating func readProfile(_ node: Node) {
    preferredUsername = node.text("preferredUsername", bytes: 128).flatMap { Handle.isUsername($0) ? $0 : nil }
    name = node.naturalLanguage("name", bytes: Limits.receivedNameBytes)?.value
    summary = node.naturalLanguage("summary", bytes: Limits.receivedBiographyBytes)?.value
    published = node.timestamp("published")
    updated = node.timestamp("updated")
    icon = Actor.picture(node, "icon")
    image = Actor.picture(node, "image")
    fields = node.list("attachment", limit: Limits.receivedFields, omissions: &omissions) { value in
      guard let field = Node(value), field.isA("PropertyValue"), let name = field.text("name"),
        let text = field.text("value", bytes: Limits.receivedNameBytes)
      else { return nil }
      return Field(name: name, value: text)
    }
    tags = node.list("tag", limit: Limits.receivedTags, omissions: &omissions) { Node($0).flatMap { Tag(reading: $0) } }
    manuallyApprovesFollowers = node.bool("manuallyApprovesFollowers") ?? false
    discoverable = node.bool("discoverable") ?? false
    indexable = node.bool("indexable") ?? false
    memorial = node.bool("memorial") ?? false
    suspended = node.bool("suspended") ?? false
    usagePolicy = node.raw("usagePolicy")
    xRobotsTag = node.text("xRobotsTag")
    contentUsage = node.text("contentUsage")
    refusesSharing = node.refusesSharing
    policyConformance = node.text("policyConformance")
  }

  private mutating func readLinks(_ node: Node) {
    let links = node.nodes("url", limit: Limits.receivedAttachments)
    url = links.first { $0.text("mediaType") == "text/html" }?.iri("href") ?? node.iri("url")
    inbox = node.iri("inbox")
    outbox = node.iri("outbox")
    followers = node.iri("followers")
    following = node.iri("following")
    featured = node.iri("featured")
    featuredTags = node.iri("featuredTags")
    sharedInbox = node.node("endpoints")?.iri("sharedInbox") ?? node.iri("sharedInbox")
    movedTo = node.iri("movedTo")
    alsoKnownAs = node.list("alsoKnownAs", limit: Limits.receivedAliases, omissions: &omissions) { Node.iri($0) }
    attributionDomains = node.list("attributionDomains", limit: Limits.receivedAliases, omissions: &omissions) {
      $0.string.flatMap { Host($0)?.text }
    }
    webfinger = node.text("webfinger").flatMap { Handle($0)?.description }
    generator = node.iri("generator")
    let holder = implements(in: node) ?? node
    implements = holder.list("implements", limit: Limits.receivedAliases, omissions: &omissions) { value in
      Node.iri(value).map { Implementation(href: $0, name: Node(value)?.text("name")) }
    }
  }

  /// FEP-844e: on a person, the list stands inside the embedded generator.
  private func implements(in node: Node) -> Node? {
    guard node.values("implements").isEmpty, let generator = node.node("generator") else { return nil }
    return generator.values("implements").isEmpty ? nil : generator
  }

  private mutating func readKeys(_ node: Node) {
    publicKeys = node.list("publicKey", limit: Limits.receivedKeys, omissions: &omissions) {
      Node($0).flatMap { PublicKey(reading: $0) }
    }
    assertionMethods = node.list("assertionMethod", limit: Limits.receivedKeys, omissions: &omissions) {
      Node($0).flatMap { Multikey(reading: $0) }
    }
  }

  private static func picture(_ node: Node, _ key: String) -> Picture? {
    guard let value = node.first(key) else { return nil }
    guard let picture = Node(value) else { return Node.iri(value).map { Picture(url: $0) } }
    guard let url = picture.iri("url") ?? picture.iri("href") else { return nil }
    return Picture(
      url: url, mediaType: picture.text("mediaType") ?? picture.node("url")?.text("mediaType"),
      alt: picture.text("summary", bytes: Limits.receivedNameBytes)
        ?? picture.text("name", bytes: Limits.receivedNameBytes))
  }
}

/// An RSA key as `https://w3id.org/security/v1` has it.
package struct PublicKey: Hashable, Sendable {
  package var id: IRI
  package var owner: IRI
  package var pem: String

  package init(id: IRI, owner: IRI, pem: String) {
    self.id = id
    self.owner = owner
    self.pem = pem
  }

  package init?(reading node: Node) {
    guard let id = node.iri("id"), let owner = node.iri("owner") ?? node.iri("controller"),
      let pem = node.text("publicKeyPem", bytes: 8_192)
    else { return nil }
    self.init(id: id, owner: owner, pem: pem)
  }

  /// The keys of what a key id led to: an actor, GoToSocial's stub of one, or a bare key.
  package static func all(in node: Node) -> [PublicKey] {
    let bare = PublicKey(reading: node)
    return [bare].compactMap(\.self)
      + node.nodes("publicKey", limit: Limits.receivedKeys).compactMap { PublicKey(reading: $0) }
  }

  var json: JSON { ["id": .string(id.text), "owner": .string(owner.text), "publicKeyPem": .string(pem)] }
}

/// FEP-521a.
package struct Multikey: Hashable, Sendable {
  package var id: IRI
  package var controller: IRI
  package var publicKeyMultibase: String

  package init(id: IRI, controller: IRI, publicKeyMultibase: String) {
    self.id = id
    self.controller = controller
    self.publicKeyMultibase = publicKeyMultibase
  }

  package init?(reading node: Node) {
    guard node.isA("Multikey"), let id = node.iri("id"), let controller = node.iri("controller"),
      let key = node.text("publicKeyMultibase", bytes: 4_096)
    else { return nil }
    self.init(id: id, controller: controller, publicKeyMultibase: key)
  }

  var json: JSON {
    [
      "id": .string(id.text), "type": "Multikey", "controller": .string(controller.text),
      "publicKeyMultibase": .string(publicKeyMultibase),
    ]
  }
}
