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

extension Services {
  /// The three faces on one router. What no route answers is a 404 with a code.
  package func router() throws -> Router<FaceContext> {
    let router = Router(context: FaceContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: SecurityHeaders(isSecure: !instance.isTrial))
    router.add(middleware: ProblemMiddleware())
    let federationFace = federationFace
    router.add(middleware: ActivityNegotiation(federationFace))
    federationFace.addRoutes(to: router)
    clientAPI.mount(on: router)
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

  private var clientAPI: ClientAPI {
    let media = media
    return ClientAPI(
      instance: instance,
      facts: InstanceFacts(title: settings.title, about: settings.about, version: Version.current), database: database,
      ids: ids, time: time, lookup: Lookup(receiving: receiving)
    ) { picture, account in
      var upload = Upload(bytes: picture.bytes, mediaType: picture.mediaType)
      upload.altText = picture.altText
      upload.focus = picture.focus
      upload.usagePolicy = picture.usagePolicy
      let outcome = try await media.upload(upload, by: account)
      return StoredPicture(
        attachment: outcome.attachment, renditions: outcome.renditions, decision: outcome.decision)
    }
  }
}

/// A search that leaves this server.
private struct Lookup: RemoteLookup {
  let receiving: FederationReceiving

  func resolve(_ query: String) async throws -> RemoteFinding? {
    do {
      switch try await receiving.resolve(query: query) {
      case .account(let account): return .account(account.id)
      case .post(let post): return .post(post.id)
      case nil: return nil
      }
    } catch {
      return nil
    }
  }
}
