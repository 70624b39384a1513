import ClientAPI
import Federation
import Forensics
import Foundation
import Logging
import Media
import Model
import NIOCore
import NIOPosix
import Operations
import Persistence
import Policy
import Primitives
import Signatures
import Store
import Transport

/// What differs between a real process and one under test.
package struct Surroundings: Sendable {
  package var time: TimeSource
  package var random: RandomBytes
  package var log: Logger
  package var group: any EventLoopGroup
  package var resolver: any AddressResolver
  package var dialer: any Dialer
  package var worker: WorkerProcess.Program
  /// Where the service manager left credentials.
  package var credentials: String?
  package var recordEgress: @Sendable (Egress) -> Void

  package init(
    time: TimeSource = .system, random: RandomBytes = .system, log: Logger,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, resolver: (any AddressResolver)? = nil,
    dialer: any Dialer = DirectDialer(), worker: WorkerProcess.Program = .ourselves, credentials: String? = nil,
    recordEgress: @escaping @Sendable (Egress) -> Void = { _ in }
  ) {
    self.time = time
    self.random = random
    self.log = log
    self.group = group
    self.resolver = resolver ?? SystemResolver(group: group)
    self.dialer = dialer
    self.worker = worker
    self.credentials = credentials
    self.recordEgress = recordEgress
  }
}

/// Every service of one instance, opened and checked, not yet running.
package struct Services: Sendable {
  package let settings: Settings
  package let surroundings: Surroundings
  package let database: SQLiteDatabase
  package let seal: KeySeal
  package let ids: SnowflakeGenerator
  package let federation: FederationEnvironment
  package let receiving: FederationReceiving
  package let media: MediaPipeline
  package let passwords: PasswordDesk
  package let streams: StreamHub
  /// Nil when no mail server is named.
  package let postbox: Postbox?
  let pushKey: PushServerKey

  package var instance: Instance { settings.instance }
  package var time: TimeSource { surroundings.time }
  package var context: OperationContext { federation.context }
  package var log: Logger { surroundings.log }

  /// Opens the instance at `settings.home`, brings its database up to date, and makes what a new one lacks: the
  /// secret, the instance actor, the first policy.
  package static func open(_ settings: Settings, _ surroundings: Surroundings) async throws -> Services {
    umask(0o077)
    try FileManager.default.createDirectory(
      atPath: settings.home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let now = surroundings.time.now()
    let database = try SQLiteDatabase(path: settings.databasePath)
    _ = try await database.migrate(migrations, at: now)
    let seal = try InstanceSecret.load(
      path: settings.secretPath, credentials: surroundings.credentials, random: surroundings.random)
    let last = try await database.read { try $0.lastID() }
    let ids = SnowflakeGenerator(time: surroundings.time, random: surroundings.random, after: last)
    var configuration = GuardedClient.Configuration(
      userAgent: "Atelier/\(Version.current) (+\(settings.instance.base.text)/)")
    configuration.policy = AddressPolicy(allowedPrivateNetworks: settings.allowedPrivateNetworks)
    configuration.extraCAFile = settings.extraCAFile
    let client = try GuardedClient(
      configuration: configuration, resolver: surroundings.resolver, dialer: surroundings.dialer,
      group: surroundings.group, record: surroundings.recordEgress)
    var federation = FederationEnvironment(
      instance: settings.instance, database: database, client: client,
      keys: KeyRing(database: database, seal: seal), ids: ids, time: surroundings.time, random: surroundings.random,
      log: surroundings.log)
    let workers = WorkerPool(.init(program: surroundings.worker, width: settings.mediaWorkers))
    let active = DetectorShelf(home: settings.home).active()
    // A model that was damaged since must not stop a server: the one that ships looks instead, and doctor says so.
    if let warning = active?.warning { surroundings.log.warning("\(warning)") }
    workers.use(model: active?.bytes)
    federation.detectorModel = active.map { active in
      .init(
        name: active.model.card.name, version: active.model.card.version,
        digest: ContentDigest(of: active.bytes ?? ShippedDetector.bytes))
    }
    let media = MediaPipeline(
      instance: settings.instance, database: database, blobs: try BlobStore(root: settings.mediaPath),
      workers: workers, client: client, detectors: try detectors(settings, surroundings, configuration), ids: ids,
      time: surroundings.time, log: surroundings.log,
      bounds: StorageBounds(perAccount: settings.mediaQuota.map { $0 << 20 }))
    let services = Services(
      settings: settings, surroundings: surroundings, database: database, seal: seal, ids: ids,
      federation: federation, receiving: FederationReceiving(federation), media: media,
      passwords: PasswordDesk(), streams: StreamHub(), postbox: try Postbox(settings, surroundings),
      pushKey: try await PushKey.load(database, seal, surroundings.random))
    try await services.claim()
    try await services.furnish()
    return services
  }

  /// A database belongs to one address for ever, because actor ids are permanent; a trial stays a trial.
  private func claim() async throws {
    let base = instance.base.text
    let owner = try await database.write { tx in
      if let owner = try tx.setting("instance.base") { return owner }
      try tx.set("instance.base", to: base)
      return base
    }
    guard owner == base else { throw ServiceFailure.otherAddress(stored: owner, asked: base) }
  }

  private func furnish() async throws {
    let instance = instance
    let exists = try await database.read { try $0.account(uri: instance.actor) != nil }
    let context = context
    if !exists {
      let id: Account.ID = ids.next()
      let keys = try KeyRing.make(
        for: id, actor: instance.actor, in: instance, seal: seal, random: surroundings.random)
      try await database.write { _ = try $0.createInstanceActor(keys: keys, id: id, in: context) }
    }
    if try await database.read({ try $0.account(uri: instance.assessor) }) == nil {
      let id: Account.ID = ids.next()
      let keys = try KeyRing.make(
        for: id, actor: instance.assessor, in: instance, seal: seal, random: surroundings.random)
      try await database.write { _ = try $0.createAssessor(keys: keys, id: id, in: context) }
    }
    try await database.write { tx in
      guard try !tx.hasPolicy() else { return }
      try tx.insert(
        PolicyRevision(
          number: 1, document: PolicyDocument.standard.numbered(1), note: "The policy of a new instance",
          authorID: nil, createdAt: context.now))
    }
  }

  /// Creates a person's account with new keys. The password is hashed for about a quarter of a second.
  package func createAccount(
    username: String, email: String, password: String, role: Role
  ) async throws -> Account {
    guard let hash = PasswordHash(of: password, random: surroundings.random) else { throw ServiceFailure.password }
    let id: Account.ID = ids.next()
    let keys = try KeyRing.make(
      for: id, actor: instance.actor(username), in: instance, seal: seal, random: surroundings.random)
    let new = NewAccount(
      username: username, email: email, passwordHash: hash.description, role: role, keys: keys)
    let context = context
    return try await database.write { try $0.createAccount(new, id: id, in: context) }
  }

  package func changePassword(of id: Account.ID, to password: String) async throws {
    guard let hash = PasswordHash(of: password, random: surroundings.random) else { throw ServiceFailure.password }
    let context = context
    try await database.write { try $0.changePassword(of: id, to: hash.description, in: context) }
  }

  package func close() async throws {
    media.workers.close()
    try await passwords.close()
    await federation.client.shutDown()
    for outside in media.detectors { await outside.detector.close() }
    try database.close()
  }
}

package enum ServiceFailure: Error, CustomStringConvertible, Sendable {
  case otherAddress(stored: String, asked: String)
  case password

  package var description: String {
    switch self {
    case .otherAddress(let stored, let asked):
      """
      This database belongs to \(stored) for ever, because the ids of its accounts contain that address, and \
      instance.base_url asks for \(asked). Use another home folder for another address.
      """
    case .password: "The password could not be hashed: it is empty or too long."
    }
  }
}

package enum Version {
  package static let current = "0.1.0"
}
