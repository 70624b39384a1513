import ActivityStreams
import Model
import Persistence
import Policy
import Primitives
import Store
import Vocab

/// What a stranger asks before speaking ActivityPub.
package struct Discovery: Sendable {
  private let instance: Instance
  private let database: any Database
  private let time: TimeSource
  private let software: Software

  package struct Software: Hashable, Sendable {
    package var name: String
    package var version: String
    package var repository: String?
    package var homepage: String?
    /// The instance's title and a sentence about it, as its administrator wrote them.
    package var title: String
    package var about: String

    package init(
      name: String = "atelier", version: String, repository: String? = nil, homepage: String? = nil, title: String,
      about: String
    ) {
      self.name = name
      self.title = title
      self.about = about
      self.version = version
      self.repository = repository
      self.homepage = homepage
    }
  }

  package enum Finding: Hashable, Sendable {
    case found(JSON)
    /// Nobody of that name, or not of this server.
    case unknown
    /// There was somebody.
    case gone
    /// What was asked is neither an account nor an address.
    case malformed
  }

  package init(instance: Instance, database: any Database, time: TimeSource, software: Software) {
    self.instance = instance
    self.database = database
    self.time = time
    self.software = software
  }

  package static let webFingerType = WebFinger.contentType
  package static let hostMetaType = "application/xrd+xml; charset=utf-8"

  /// `resource` is `acct:user@host`, `user@host`, an actor's or a profile's address, or the origin of this server.
  package func webFinger(_ resource: String) async throws -> Finding {
    guard resource.utf8.count <= Limits.iriBytes else { return .malformed }
    if let address = IRI(resource) {
      guard address.hasSameOrigin(as: instance.base) else { return .unknown }
      if address.pathAndQuery == "/" || address == instance.actor {
        return .found(WebFinger.server(instance.base, actor: instance.actor).json)
      }
      if address == instance.assessor { return .found(assessor) }
      guard let name = username(in: address) else { return .unknown }
      return try await account(name)
    }
    guard let handle = Handle(resource) else { return .malformed }
    guard handle.host == instance.host else { return .unknown }
    // The server's own actor is named after its host, in every spelling with and without a port.
    if handle.username.lowercased() == instance.host.name { return .found(server) }
    if handle.username.lowercased() == Instance.assessorName { return .found(assessor) }
    return try await account(handle.username)
  }

  private var assessor: JSON {
    WebFinger.account(
      Handle(username: Instance.assessorName, host: instance.host), actor: instance.assessor,
      page: instance.detectorPage, subscribe: nil
    ).json
  }

  private var server: JSON {
    WebFinger.account(
      Handle(username: instance.host.name, host: instance.host), actor: instance.actor, page: instance.page("/about"),
      subscribe: nil
    ).json
  }

  private func username(in address: IRI) -> String? {
    if let name = instance.username(ofActor: address) { return name }
    let path = address.path
    guard path.hasPrefix("/@"), address.query == nil else { return nil }
    let name = String(path.dropFirst(2))
    return Handle.isUsername(name) ? name : nil
  }

  private func account(_ name: String) async throws -> Finding {
    guard let account = try await database.read({ try $0.account(username: name, host: nil) }),
      account.kind != .application
    else { return .unknown }
    guard account.suspendedAt == nil else { return .gone }
    return .found(
      WebFinger.account(
        Handle(username: account.username, host: instance.host), actor: account.uri, page: account.url,
        subscribe: "\(instance.base.origin)/authorize_interaction?uri={uri}"
      ).json)
  }

  package var hostMetaXML: String { HostMeta.xml(origin: instance.base.origin) }
  package var hostMetaJSON: JSON { HostMeta.json(origin: instance.base.origin) }
  package var nodeInfoLinks: JSON { NodeInfo.links(origin: instance.base.origin) }

  /// Nil for a version that is not spoken. Numbers are counted, never estimated (FEP-0151).
  package func nodeInfo(_ version: String) async throws -> (document: JSON, type: String)? {
    guard let version = NodeInfo.Version(rawValue: version) else { return nil }
    let now = time.now()
    let (counts, month, halfyear, staff) = try await database.read { tx in
      (
        try tx.instanceCounts(), try tx.activeUsers(since: now.adding(.seconds(-30 * 86_400))),
        try tx.activeUsers(since: now.adding(.seconds(-180 * 86_400))), try tx.staff().map(\.uri.text)
      )
    }
    var info = NodeInfo(softwareName: software.name, softwareVersion: software.version, openRegistrations: false)
    info.repository = software.repository
    info.homepage = software.homepage
    info.usersTotal = counts.users
    info.usersActiveMonth = month
    info.usersActiveHalfyear = halfyear
    info.localPosts = counts.localPosts
    info.metadata = [
      "nodeName": .string(software.title), "nodeDescription": .string(software.about),
      "staffAccounts": .array(staff.map { .string($0) }), "federation": ["enabled": .bool(!instance.isTrial)],
      "noai": ["spec": .string(Vocab.specification), "conformance": .string(Capability.conformance)],
    ]
    return (info.json(version), NodeInfo.contentType(version))
  }
}
