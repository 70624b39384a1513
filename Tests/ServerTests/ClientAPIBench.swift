import ClientAPI
import Foundation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Logging
import Media
import Model
import NIOCore
import NIOPosix
import Operations
import Persistence
import Policy
import Primitives
import Store
import Synchronization
import Testing

/// One instance with three people and the client API over a real database; requests go through the router, without
/// a socket.
final class ClientAPIBench: Sendable {
  struct Answer: Sendable {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let body: [UInt8]
    var json: JSON {
      get throws { try JSON(parsing: body) }
    }
    func list() throws -> [JSON] { try json.array ?? [] }
    func text(_ key: String) throws -> String? { try json[key]?.string }
  }

  /// What other servers would answer.
  final class Elsewhere: RemoteLookup {
    let asked = Mutex<[String]>([])
    let known = Mutex<[String: RemoteFinding]>([:])
    func resolve(_ query: String) async throws -> RemoteFinding? {
      asked.withLock { $0.append(query) }
      return known.withLock { $0[query] }
    }
  }

  /// What other servers were asked for.
  var asked: [String] { elsewhere.asked.withLock { $0 } }
  func know(_ query: String, _ account: Account) { elsewhere.known.withLock { $0[query] = .account(account.id) } }

  let folder: String
  let database: SQLiteDatabase
  let instance: Instance
  let ids: SnowflakeGenerator
  let elsewhere = Elsewhere()
  let time: TimeSource
  let routes: [Route]
  let api: ClientAPI
  private let responder: RouterResponder<FaceContext>

  var context: OperationContext { OperationContext(instance: instance, ids: ids, now: time.now()) }

  /// Every look at the clock finds it later, so that what happens later sorts later.
  private final class Clock: Sendable {
    private let milliseconds = Mutex(Int64(1_800_000_000_000))
    func tick() -> Timestamp {
      milliseconds.withLock { now in
        now += 10
        return Timestamp(milliseconds: now)
      }
    }
  }

  init() async throws {
    folder = NSTemporaryDirectory() + "/clientapi-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    database = try SQLiteDatabase(path: folder + "/test.db")
    instance = try #require(IRI("https://paper.test").flatMap { Instance(base: $0) })
    let clock = Clock()
    let time = TimeSource { clock.tick() }
    self.time = time
    ids = SnowflakeGenerator(time: time, random: .system)
    let router = Router(context: FaceContext.self)
    router.add(middleware: ProblemMiddleware())
    let database = database
    let instance = instance
    let ids = ids
    let api = ClientAPI(
      instance: instance, facts: InstanceFacts(title: "Paper", about: "A test", version: "0.1.0"),
      database: database, ids: ids, time: time, random: .system, lookup: elsewhere,
      intake: { picture, owner in
        let context = OperationContext(instance: instance, ids: ids, now: time.now())
        return try await database.write { tx in
          try tx.store(picture, of: owner, in: context)
        }
      }, portray: { picture, _, _ in try portrait(picture) })
    api.mount(on: router)
    routes = api.routes
    self.api = api
    responder = router.buildResponder()
    _ = try await database.migrate(migrations, at: context.now)
    let policy = try PolicyDocument(
      {
        var draft = PolicyDocument.Draft()
        draft.conclusive = "refuse"
        draft.strong = "hold"
        return draft
      }())
    let now = context.now
    try await database.write { tx in
      try tx.insert(
        PolicyRevision(number: 1, document: policy.numbered(1), note: "", authorID: nil, createdAt: now))
    }
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder)") }
  }

  @discardableResult
  func member(
    _ name: String, role: Role = .artist, scopes: String = "read write", isLocked: Bool = false
  ) async throws -> Account {
    let context = context
    return try await database.write { tx in
      var account = try tx.createAccount(
        NewAccount(
          username: name, email: "\(name)@paper.test", passwordHash: "x", role: role, keys: []),
        id: context.ids.next(), in: context)
      if isLocked {
        account.isLocked = true
        try tx.update(account)
      }
      try tx.insert(
        AccessToken(
          id: context.ids.next(), secretHash: secretHash("token-\(name)"), accountID: account.id, application: "test",
          scopes: scopes, createdAt: context.now))
      return account
    }
  }

  func stranger(_ name: String, on host: String) async throws -> Account {
    let context = context
    let account = Account(
      id: context.ids.next(), username: name, host: Host(host),
      uri: try #require(IRI("https://\(host)/users/\(name)")), url: try #require(IRI("https://\(host)/@\(name)")),
      inbox: try #require(IRI("https://\(host)/users/\(name)/inbox")), createdAt: context.now, fetchedAt: context.now)
    try await database.write { try $0.insert(account) }
    return account
  }

  func request(
    _ method: HTTPRequest.Method, _ path: String, as name: String? = nil, type: String? = nil, body: [UInt8] = [],
    headers: HTTPFields = [:]
  ) async throws -> Answer {
    var headers = headers
    if let name { headers[.authorization] = "Bearer token-\(name)" }
    if let type { headers[.contentType] = type }
    let head = HTTPRequest(method: method, scheme: "https", authority: "paper.test", path: path, headerFields: headers)
    let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    let context = FaceContext(
      source: ApplicationRequestContextSource(channel: channel, logger: Logger(label: "test")))
    let response = try await responder.respond(
      to: Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: body))), context: context)
    let collected = Collected()
    try await response.body.write(Writer(collected: collected))
    try await channel.close()
    return Answer(status: response.status, headers: response.headers, body: collected.bytes.withLock { $0 })
  }

  func get(_ path: String, as name: String? = nil) async throws -> Answer {
    try await request(.get, path, as: name)
  }

  func post(
    _ path: String, as name: String? = nil, _ form: KeyValuePairs<String, String> = [:],
    method: HTTPRequest.Method = .post, headers: HTTPFields = [:]
  ) async throws -> Answer {
    let text = form.map { "\(percentEncoded($0.key))=\(percentEncoded($0.value))" }.joined(separator: "&")
    return try await request(
      method, path, as: name, type: "application/x-www-form-urlencoded", body: Array(text.utf8), headers: headers)
  }

  func upload(
    _ bytes: String, as name: String, description: String = "", focus: String? = nil
  ) async throws -> Answer {
    var body = ""
    func part(_ head: String, _ content: String) {
      body += "--edge\r\nContent-Disposition: form-data; \(head)\r\n\r\n\(content)\r\n"
    }
    part("name=\"description\"", description)
    if let focus { part("name=\"focus\"", focus) }
    body += "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n"
    body += "Content-Type: image/png\r\n\r\n\(bytes)\r\n--edge--\r\n"
    return try await request(
      .post, "/api/v2/media", as: name, type: "multipart/form-data; boundary=edge", body: Array(body.utf8))
  }

  /// Posts and answers the new post's id.
  func publish(_ text: String, as name: String, _ visibility: String = "public") async throws -> String {
    let answer = try await post("/api/v1/statuses", as: name, ["status": text, "visibility": visibility])
    return try #require(try answer.text("id"))
  }

  private final class Collected: Sendable {
    let bytes = Mutex<[UInt8]>([])
  }

  private struct Writer: ResponseBodyWriter {
    let collected: Collected
    mutating func write(_ buffer: ByteBuffer) async throws {
      collected.bytes.withLock { $0 += Array(buffer.readableBytesView) }
    }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
  }
}

extension WriteTransaction {
  /// Stands in for the worker: `generated` bytes carry conclusive evidence, `likely` bytes strong evidence.
  func store(_ picture: Upload, of owner: Account, in context: OperationContext) throws -> UploadOutcome {
    let text = String(decoding: picture.bytes, as: UTF8.self)
    if text.hasPrefix("broken") {
      throw Problem(.unprocessableContent, "image.undecodable", "The picture's data are damaged.")
    }
    let strength: EvidenceStrength? =
      text.hasPrefix("generated") ? .conclusive : text.hasPrefix("likely") ? .strong : nil
    let evidence = strength.map {
      [Evidence(kind: "png.test", strength: $0, implies: .generated, text: "The file says so.", place: "PNG tEXt")]
    }
    let attachment = Model.Attachment(
      id: context.ids.next(), ownerID: owner.id, altText: picture.altText, focus: picture.focus,
      usagePolicy: picture.usagePolicy, createdAt: context.now)
    let digest = try #require(Digest(secretHash(text)))
    let small = try #require(Digest(secretHash(text + "small")))
    let renditions = [
      Rendition(
        attachmentID: attachment.id, kind: .federated, digest: digest, mediaType: "image/png", width: 3_000,
        height: 1_500, size: 9),
      Rendition(
        attachmentID: attachment.id, kind: .small, digest: small, mediaType: "image/webp", width: 320, height: 160,
        size: 3),
    ]
    try insert(attachment)
    let decision = try settle(
      attachment,
      as: AnalysedPicture(
        original: digest, assessment: Assessment(evidence: evidence ?? [], detector: "test/1"), declaration: .none,
        perceptualHash: nil, blurhash: "LEHV6nWB2yk8pyo0adR*.7kCMdnj", width: 3_000, height: 1_500,
        digitalSourceType: nil, renditions: renditions),
      in: context)
    let settled = try #require(try self.attachment(attachment.id))
    return UploadOutcome(
      attachment: settled, renditions: settled.state == .refused ? [] : renditions, decision: decision)
  }
}

/// Stands in for the worker: a file named by its bytes.
private func portrait(_ upload: Upload) throws -> Portrait {
  guard !upload.bytes.starts(with: Array("broken".utf8)) else {
    throw OperationFailure(.invalid, "image.undecodable", "The picture's data are damaged.")
  }
  return Portrait(
    digest: try #require(Digest(secretHash(String(decoding: upload.bytes, as: UTF8.self)))), mediaType: "image/jpeg")
}
