import Federation
import Foundation
import Logging
import Model
import NIOCore
import NIOPosix
import Operations
import Persistence
import Policy
import Primitives
import Signatures
import Store
import Synchronization
import Testing
import Transport

/// A clock that a test owns.
final class HandClock: Sendable {
  private let now: Mutex<Timestamp>
  init(_ start: Timestamp) { now = Mutex(start) }
  func advance(_ duration: Duration) { now.withLock { $0 = $0.adding(duration) } }
  var source: TimeSource { TimeSource { self.now.withLock { $0 } } }
}

/// An instance over a real database, with one artist, and a way out that leads to loopback only.
struct DeliveringHouse: Sendable {
  let environment: FederationEnvironment
  let database: SQLiteDatabase
  let composer: Composer
  let mika: Account
  let clock: HandClock

  var context: OperationContext { environment.context }

  init(clock: HandClock = HandClock(Timestamp(secondsSince1970: 1_793_728_802)), realTime: Bool = false) async throws {
    let instance = try #require(IRI("https://atelier.test").flatMap { Instance(base: $0) })
    let path = NSTemporaryDirectory() + "delivering-\(UUID().uuidString).sqlite"
    let database = try SQLiteDatabase(path: path)
    let time = realTime ? TimeSource.system : clock.source
    _ = try await database.migrate(migrations, at: time.now())
    let seal = try #require(KeySeal(secret: [UInt8](repeating: 7, count: 32)))
    var configuration = GuardedClient.Configuration(userAgent: "Atelier/test (+https://atelier.test/)")
    configuration.policy = AddressPolicy(allowedPrivateNetworks: ["127.0.0.0/8"].compactMap { CIDR($0) })
    let group = MultiThreadedEventLoopGroup.singleton
    let environment = FederationEnvironment(
      instance: instance, database: database,
      client: try GuardedClient(configuration: configuration, resolver: SystemResolver(group: group), group: group),
      keys: KeyRing(database: database, seal: seal), ids: SnowflakeGenerator(time: time, random: .system), time: time,
      random: .system, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let context = environment.context
    let server: Account.ID = context.ids.next()
    let serverKeys = try KeyRing.make(for: server, actor: instance.actor, in: instance, seal: seal, random: .system)
    let id: Account.ID = context.ids.next()
    let keys = try KeyRing.make(for: id, actor: instance.actor("mika"), in: instance, seal: seal, random: .system)
    mika = try await database.write { tx in
      _ = try tx.createInstanceActor(keys: serverKeys, id: server, in: context)
      try tx.insert(
        PolicyRevision(
          number: 1, document: PolicyDocument.standard.numbered(1), note: "", authorID: nil, createdAt: context.now))
      let new = NewAccount(username: "mika", email: "mika@example.test", passwordHash: "-", role: .artist, keys: keys)
      return try tx.createAccount(new, id: id, in: context)
    }
    self.environment = environment
    self.database = database
    self.clock = clock
    composer = Composer(environment: environment)
  }

  /// Somebody elsewhere; `origin` such as `http://127.0.0.2:8000`.
  func stranger(_ name: String, at origin: String, shared: Bool = false) async throws -> Account {
    let base = try #require(IRI(origin))
    let uri = try #require(IRI("\(origin)/users/\(name)"))
    let now = context.now
    let account = Account(
      id: context.ids.next(), username: name, host: base.host, uri: uri, url: uri,
      inbox: try #require(IRI("\(origin)/users/\(name)/inbox")), sharedInbox: shared ? IRI("\(origin)/inbox") : nil,
      followers: IRI("\(origin)/users/\(name)/followers"), createdAt: now, fetchedAt: now)
    try await database.write { try $0.insert(account) }
    return account
  }

  func follow(_ follower: Account) async throws {
    let follow = Follow(
      id: context.ids.next(), followerID: follower.id, followeeID: mika.id,
      uri: try #require(IRI("\(follower.uri)/follows/1")), state: .accepted, createdAt: context.now)
    try await database.write { try $0.insert(follow) }
  }

  func picture(
    _ number: Int, alt: String = "A grey harbour at dawn.", state: Model.Attachment.State = .ready,
    policy: UsagePolicy? = nil
  ) async throws -> Model.Attachment.ID {
    let digit = String(number % 16, radix: 16)
    let digest = try #require(Digest(rawValue: String(repeating: digit, count: 64)))
    let attachment = Model.Attachment(
      id: context.ids.next(), ownerID: mika.id, position: number, state: state, altText: alt,
      focus: Focus(x: 0.25, y: -0.5), blurhash: "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH", original: digest, width: 9_000,
      height: 6_000, usagePolicy: policy, digitalSourceType: "digitalCreation", createdAt: context.now)
    let renditions = [Rendition.Kind.federated, .small].map {
      Rendition(
        attachmentID: attachment.id, kind: $0, digest: digest, mediaType: "image/jpeg", width: 4_800, height: 3_200,
        size: 123_456)
    }
    try await database.write { tx in
      try tx.insert(attachment)
      try tx.replaceRenditions(of: attachment.id, with: renditions)
    }
    return attachment.id
  }

  func publish(_ draft: PostDraft) async throws -> Post {
    let context = context
    return try await database.write { [mika] tx in try tx.publish(draft, by: mika, in: context) }
  }

  /// Runs every waiting federation job, as the lane would.
  func federate() async throws {
    while true {
      let now = context.now
      let leases = try await database.write {
        try $0.leaseJobs(in: .federation, at: now, until: now.adding(.seconds(60)), limit: 10)
      }
      if leases.isEmpty { return }
      for lease in leases {
        guard case .federate(let intent) = lease.job else { continue }
        try await composer.compose(intent, for: lease)
      }
    }
  }

  /// Everything that has still to be delivered, whatever it has to wait for, oldest first.
  func outstanding() async throws -> [(inbox: IRI, body: JSON)] {
    try await database.read { tx in
      try tx.rows(
        """
        SELECT deliveries.inbox, outgoing.body FROM deliveries JOIN outgoing ON outgoing.id = deliveries.outgoing_id
        WHERE deliveries.state = 'waiting' ORDER BY deliveries.id
        """
      ).map { (try $0.iri("inbox"), try JSON(parsing: try $0.bytes("body"))) }
    }
  }

  /// What may be delivered now, oldest first.
  func queued() async throws -> [(inbox: IRI, body: [UInt8])] {
    let now = context.now
    return try await database.write { tx in
      try tx.leaseDeliveries(at: now, until: now.adding(.seconds(1)), limit: 1_000, perHost: 1_000, busy: [])
    }.map { ($0.inbox, $0.body) }
  }
}
