// The Mastodon client API: bearer tokens in, JSON out. Reads assemble pages and draw entities; changes go through
// Operations. Knows no HTML page, and must never answer on a route whose scope is not written in the table.

import HTTPSupport
import HTTPTypes
import Hummingbird
import Media
import Model
import Operations
import Persistence
import Policy
import Primitives

/// Finds what is not stored here yet: `@user@host`, an actor's or a post's address.
package protocol RemoteLookup: Sendable {
  /// Nil when there is nothing, it may not be fetched, or the other server does not answer in time.
  func resolve(_ query: String) async throws -> RemoteFinding?
}

package enum RemoteFinding: Hashable, Sendable {
  case account(Account.ID)
  case post(Post.ID)
}

/// A picture after it was stored, with its decision once there is one.
struct StoredPicture: Sendable {
  var attachment: Attachment
  var renditions: [Rendition]
  var decision: DecisionRecord?
}

/// What the instance says of itself.
package struct InstanceFacts: Hashable, Sendable {
  package var title: String
  package var about: String
  /// Of this software, such as `0.1.0`.
  package var version: String
  package var sourceURL: String
  package var contactEmail: String
  package var signUps: SignUpRules
  /// What apps subscribe to push messages with.
  package var pushKey: String
  package init(
    title: String, about: String, version: String, sourceURL: String = "", contactEmail: String = "",
    signUps: SignUpRules = SignUpRules(), pushKey: String = ""
  ) {
    self.signUps = signUps
    self.pushKey = pushKey
    self.title = title
    self.about = about
    self.version = version
    self.sourceURL = sourceURL
    self.contactEmail = contactEmail
  }
}

package struct ClientAPI: Sendable {
  let instance: Instance
  let facts: InstanceFacts
  let database: any Database
  let ids: SnowflakeGenerator
  let time: TimeSource
  let lookup: any RemoteLookup
  let intake: PictureIntake
  let portray: PortraitIntake
  let random: RandomBytes
  let streams: StreamHub
  let pacing: Pacing
  /// A search that leaves this server costs two others a request (Akkoma 2026.08).
  let lookups: RateLimiter
  /// A report costs a moderator minutes.
  let reports: RateLimiter
  let joining: JoiningDesk
  /// Nil where nothing can be sealed: then nobody subscribes.
  let push: PushDesk?

  package init(
    instance: Instance, facts: InstanceFacts, database: any Database, ids: SnowflakeGenerator, time: TimeSource,
    random: RandomBytes, lookup: any RemoteLookup, streams: StreamHub = StreamHub(), joining: JoiningDesk? = nil,
    push: PushDesk? = nil, intake: @escaping PictureIntake, portray: @escaping PortraitIntake
  ) {
    self.instance = instance
    self.facts = facts
    self.database = database
    self.ids = ids
    self.time = time
    self.random = random
    self.lookup = lookup
    self.streams = streams
    self.push = push
    self.joining =
      joining
      ?? JoiningDesk(
        rules: SignUpRules(), canMail: false, instance: instance, database: database, ids: ids, time: time,
        hashPassword: { _ in nil }, makeKeys: { _, _ in [] })
    self.intake = intake
    self.portray = portray
    pacing = Pacing(time: time, isTrial: instance.isTrial)
    reports = RateLimiter(.init(burst: Limits.reportsPerHour, per: .seconds(3_600)), time: time)
    lookups = RateLimiter(.init(burst: Limits.lookupsPerHour, per: .seconds(3_600)), time: time)
  }

  var context: OperationContext { OperationContext(instance: instance, ids: ids, now: time.now()) }
  var entities: Entities { Entities(instance: instance) }

  /// Adds every route of the table, with authentication, problems as JSON and the headers of every API answer.
  package func mount(on router: Router<FaceContext>) {
    let group = router.group()
      .add(middleware: APIHeaders(policy: instance.usagePolicy, pacing: pacing))
      .add(middleware: ProblemMiddleware())
      .add(middleware: BearerAuthentication(database: database))
    // Without bearer tokens: what an application writes into the same header is its secret.
    let clients = router.group()
      .add(middleware: APIHeaders(policy: instance.usagePolicy, pacing: pacing))
      .add(middleware: ProblemMiddleware())
    for route in routes { route.register(on: route.access == .client ? clients : group, pacing) }
    for path in Set(routes.map(\.path)) {
      router.group().add(middleware: APIHeaders(policy: instance.usagePolicy))
        .on(RouterPath(path), method: .options) { _, _ in Response(status: .noContent) }
    }
  }
}

extension Limits {
  package static let lookupsPerHour = 30
  /// Mentions of one post that are looked up on other servers.
  package static let lookupsPerPost = 16
  package static let statusPage = 40
  package static let accountPage = 80
  package static let relationships = 80
  package static let searchResults = 40
  package static let searchQuery = 500
  package static let idempotencyKeyBytes = 255
}
