import ClientAPI
import Federation
import FederationHTTP
import HTTPSupport
import Hummingbird
import Logging
import Media
import Model
import Operations
import Persistence
import Policy
import Primitives
import Signatures
import Store
import Web

extension Services {
  /// The three faces on one router. What no route answers is a 404 with a code.
  package func router() throws -> Router<FaceContext> {
    let router = Router(context: FaceContext.self, options: .autoGenerateHeadEndpoints)
    let joining = joiningDesk
    router.add(middleware: SecurityHeaders(isSecure: !instance.isTrial))
    let web = try webFace(joining)
    router.add(middleware: ProblemMiddleware(page: web.problemPage))
    let federationFace = federationFace
    router.add(middleware: ActivityNegotiation(federationFace))
    federationFace.addRoutes(to: router)
    clientAPI(joining).mount(on: router)
    web.addRoutes(to: router)
    return router
  }

  private var federationFace: FederationFace {
    FederationFace(
      environment: federation, inbox: receiving.inbox, gate: receiving.gets,
      discovery: Discovery(
        instance: instance, database: database, time: time,
        software: .init(version: Version.current, title: settings.title, about: settings.about)),
      mode: FederationHTTP.AuthorizedFetch(rawValue: settings.authorizedFetch.rawValue) ?? .objects)
  }

  private func webFace(_ joining: JoiningDesk) throws -> WebFace {
    let media = media
    // Somebody who is not there must cost as much time as a wrong password.
    let nobody = PasswordHash(of: surroundings.random.token(), random: surroundings.random)
    return try WebFace(
      instance: instance, title: settings.title, description: settings.about.isEmpty ? nil : settings.about,
      database: database, blobs: media.blobs, ids: ids, time: time, random: surroundings.random,
      receive: { try await media.upload($0, by: $1) },
      portray: { try await media.portrait($0, at: $1, of: $2) },
      verifyPassword: { password, hash in
        // A quarter of a second of one core, off the event loops and one at a time.
        try await atDesk { try await passwords.matches(password, hash.flatMap { PasswordHash($0) } ?? nobody) }
          && hash != nil
      },
      hashPassword: hashed, detectors: detectorBases, detectorNotice: detectorNotice,
      heat: { try await media.heat(of: $0) },
      joining: joining, clientAddress: clientAddress)
  }

  /// One for a process: what it counts, it counts for pages and apps together.
  package var joiningDesk: JoiningDesk {
    JoiningDesk(
      rules: settings.signUps, canMail: settings.mail != nil, instance: instance, database: database, ids: ids,
      time: time, hashPassword: hashed,
      makeKeys: { id, name in
        try KeyRing.make(
          for: id, actor: instance.actor(name), in: instance, seal: seal, random: surroundings.random)
      })
  }

  @Sendable private func hashed(_ password: String) async throws -> String? {
    let random = surroundings.random
    return try await atDesk { try await passwords.hash { PasswordHash(of: password, random: random) } }?.description
  }

  /// 503 while more people than it can serve stand at the desk.
  private func atDesk<Value: Sendable>(
    _ body: () async throws -> Value
  ) async throws -> Value {
    do { return try await body() } catch let full as PasswordDesk.Full {
      throw Problem(
        .serviceUnavailable, "password.busy", "Many people are signing in. Try again in a moment.",
        retryAfter: full.retryAfter)
    }
  }

  func clientAPI(_ joining: JoiningDesk) -> ClientAPI {
    let media = media
    return ClientAPI(
      instance: instance,
      facts: InstanceFacts(
        title: settings.title, about: settings.about, version: Version.current, signUps: joining.rules,
        pushKey: pushKey.publicKey),
      database: database, ids: ids, time: time, random: surroundings.random, lookup: receiving, streams: streams,
      joining: joining,
      push: PushDesk(
        seal: { try sealed($0, for: $1) }, isKey: { PushReceiver(publicKey: $0, secret: $1) != nil }),
      intake: { try await media.upload($0, by: $1) }, portray: { try await media.portrait($0, at: $1, of: $2) })
  }
}
