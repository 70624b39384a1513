import HTTPSupport
import HTTPTypes
import Hummingbird
import Media
import Model
import Mustache
import Operations
import Persistence
import Policy
import Primitives
import Store

/// The pages of one instance, with what they need from outside.
package struct WebFace: Sendable {
  /// Compares a password with a stored hash. Nil, for somebody who is not there, must take as long as a wrong one.
  package typealias VerifyPassword = @Sendable (_ password: String, _ hash: String?) async throws -> Bool
  /// Makes what is stored of a password. Nil for one that can not be hashed.
  package typealias HashPassword = @Sendable (_ password: String) async throws -> String?

  let instance: Instance
  let title: String
  let description: String
  let database: any Database
  let blobs: BlobStore
  let ids: SnowflakeGenerator
  let time: TimeSource
  let random: RandomBytes
  let receive: PictureIntake
  let portray: PortraitIntake
  let verifyPassword: VerifyPassword
  let hashPassword: HashPassword
  let clientAddress: @Sendable (Request, FaceContext) -> String?
  let templates: MustacheLibrary
  let assets: [String: Asset]
  let limits: FormLimits
  /// Who gives scores here.
  let detectors: [DetectorBasis]
  /// What a detector outside this instance is sent; nil when there is none.
  let detectorNotice: String?
  let heat: HeatDrawing
  let joining: JoiningDesk

  /// - Parameters:
  ///   - title: the name of the place, shown on every page; nil takes its host.
  ///   - description: one or two sentences for the front page.
  ///   - clientAddress: whom rate limits count; behind a proxy only the proxy's word tells.
  package init(
    instance: Instance, title: String? = nil, description: String? = nil, database: any Database, blobs: BlobStore,
    ids: SnowflakeGenerator, time: TimeSource, random: RandomBytes, receive: @escaping PictureIntake,
    portray: @escaping PortraitIntake,
    verifyPassword: @escaping VerifyPassword, hashPassword: @escaping HashPassword,
    detectors: [DetectorBasis] = [], detectorNotice: String? = nil, heat: @escaping HeatDrawing = { _ in nil },
    joining: JoiningDesk? = nil,
    clientAddress: @escaping @Sendable (Request, FaceContext) -> String? = { _, context in
      context.remoteAddress?.ipAddress
    }
  ) throws {
    self.instance = instance
    self.title = title ?? instance.host.text
    self.description =
      description ?? "A place for artists to show their work, on their own terms and in reach of the whole Fediverse."
    self.database = database
    self.blobs = blobs
    self.ids = ids
    self.time = time
    self.random = random
    self.receive = receive
    self.portray = portray
    self.verifyPassword = verifyPassword
    self.hashPassword = hashPassword
    self.detectors = detectors
    self.detectorNotice = detectorNotice
    self.heat = heat
    self.joining =
      joining
      ?? JoiningDesk(
        rules: SignUpRules(), canMail: false, instance: instance, database: database, ids: ids, time: time,
        hashPassword: hashPassword, makeKeys: { _, _ in [] })
    self.clientAddress = clientAddress
    templates = try WebFace.readTemplates()
    assets = Asset.all
    limits = FormLimits(time: time)
  }

  /// The router wants `.autoGenerateHeadEndpoints`: a crawler that asks with HEAD must meet the same reservation.
  package func addRoutes(to router: Router<FaceContext>) {
    let pages = router.group().add(
      middleware: SessionAuthentication(database: database, time: time, secure: isSecure))
    pages.get("/", use: front)
    pages.get("/about", use: about)
    pages.get("/tags/:tag", use: tagged)
    pages.get("/search", use: search)
    pages.get("/@{acct}", use: artist)
    pages.get("/@{acct}/:item", use: artistItem)
    pages.get("/@{acct}/series/:series", use: series)
    pages.get("/remote/:id", use: remote)
    pages.post("/polls/:id", use: vote)
    pages.get("/home", use: home)
    pages.get("/notifications", use: notifications)
    pages.get("/login", use: signInForm)
    pages.post("/login", use: signIn)
    pages.post("/logout", use: signOut)
    pages.get("/upload", use: uploadForm)
    pages.post("/upload", use: upload)
    pages.get("/settings/policy", use: policySettings)
    pages.post("/settings/policy", use: changePolicySettings)
    pages.get("/settings/policy/ledger", use: policyLedger)
    addPeopleRoutes(to: pages)
    addReportRoutes(to: pages)
    pages.get("/settings/password", use: passwordForm)
    pages.post("/settings/password", use: changePassword)
    pages.get("/settings/quotes", use: quotesOfMine)
    pages.post("/settings/quotes", use: answerQuote)
    pages.post("/settings/responses", use: changeResponses)
    pages.get("/settings/series", use: ownSeries)
    pages.post("/settings/series", use: createSeries)
    pages.post("/settings/series/place", use: placeInSeries)
    pages.get("/settings/series/:series", use: managedSeries)
    pages.post("/settings/series/:series", use: changeSeries)
    pages.get("/appeals/new", use: appealForm)
    pages.post("/appeals/new", use: appeal)
    pages.get("/moderation", use: moderation)
    pages.get("/moderation/copies", use: copies)
    pages.get("/moderation/assessors", use: assessors)
    pages.post("/moderation/assessors", use: changeAssessors)
    pages.get("/settings/assessments", use: assessments)
    pages.get("/moderation/accounts", use: accountModeration)
    pages.post("/moderation/accounts", use: moderateAccount)
    pages.get("/moderation/servers", use: servers)
    pages.post("/moderation/servers", use: changeServers)
    pages.post("/moderation/:id", use: moderate)
    pages.get("/moderation/:id/where", use: whereUnusual)
    pages.get("/media/:file", use: media)
    addConsentRoutes(to: pages)
    addJoiningRoutes(to: pages)
    addMachineRoutes(to: router)
  }

  private func addMachineRoutes(to router: Router<FaceContext>) {
    router.get("/assets/:file", use: asset)
    router.get("/favicon.ico", use: favicon)
    router.get("/robots.txt", use: robots)
    router.get("/ai.txt", use: aiTxt)
    router.get("/.well-known/tdmrep.json", use: tdmRep)
    router.get("/license.xml", use: license)
    router.get("/users/:name/tdm-policy", use: tdmPolicy)
    router.get("/users/:name/policies/:number/odrl", use: versionOffer)
  }

  var isSecure: Bool { instance.base.scheme == "https" }
  /// What holds where nobody has spoken.
  var standardPolicy: UsagePolicy { instance.usagePolicy }
  var context: OperationContext { OperationContext(instance: instance, ids: ids, now: time.now()) }
}

/// What one address or one account may ask of the forms that cost us or others something.
struct FormLimits: Sendable {
  let signInByAddress: RateLimiter
  let signInByAccount: RateLimiter
  let appealsByAddress: RateLimiter
  let uploadsByAccount: RateLimiter
  let heatByAccount: RateLimiter
  let reportsByAccount: RateLimiter

  init(time: TimeSource) {
    signInByAddress = RateLimiter(.init(burst: 20, per: .seconds(900)), time: time)
    signInByAccount = RateLimiter(.init(burst: 10, per: .seconds(900)), time: time)
    appealsByAddress = RateLimiter(.init(burst: 5, per: .seconds(3_600)), time: time)
    uploadsByAccount = RateLimiter(.init(burst: 60, per: .seconds(3_600)), time: time)
    heatByAccount = RateLimiter(.init(burst: 60, per: .seconds(3_600)), time: time)
    reportsByAccount = RateLimiter(.init(burst: 20, per: .seconds(3_600)), time: time)
  }
}

extension RateLimiter {
  func spend(_ key: String) throws {
    guard let wait = take(key) else { return }
    throw Problem(
      .tooManyRequests, "request.too_many", "Too many attempts. Try again in a few minutes.", retryAfter: wait)
  }
}
