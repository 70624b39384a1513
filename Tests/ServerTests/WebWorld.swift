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

@testable import Web

/// One instance with its pages, its database and its files, in a directory of its own, on a clock of its own.
final class WebWorld: Sendable {
  let instance: Instance
  let database: SQLiteDatabase
  let blobs: BlobStore
  let ids: SnowflakeGenerator
  let clock: Mutex<Timestamp>
  let face: WebFace
  private let responder: RouterResponder<FaceContext>
  private let channel: any Channel
  private let directory: String

  /// What the next uploads are decided to be.
  let verdict = Mutex(Verdict.accept)
  let passwordsAsked = Mutex<[String?]>([])

  init(
    base: String = "https://atelier.test", detectors: [DetectorBasis] = [], detectorNotice: String? = nil,
    heat: @escaping HeatDrawing = { _ in nil }
  ) async throws {
    guard let base = IRI(base), let instance = Instance(base: base) else { throw WebWorldFailure.setUp }
    self.instance = instance
    directory = NSTemporaryDirectory() + "atelier-web-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    database = try SQLiteDatabase(path: directory + "/db.sqlite")
    blobs = try BlobStore(root: directory + "/media")
    clock = Mutex(Timestamp(secondsSince1970: 1_795_000_000))
    let box = Handover()
    let time = TimeSource { box.world.withLock { $0?.now } ?? Timestamp(secondsSince1970: 1_795_000_000) }
    ids = SnowflakeGenerator(time: time, random: .system)
    _ = try await database.migrate(migrations, at: clock.withLock { $0 })
    face = try WebFace(
      instance: instance, title: "Paper & Light", database: database, blobs: blobs, ids: ids, time: time,
      random: .system,
      receive: { upload, account in
        guard let world = box.world.withLock({ $0 }) else { throw WebWorldFailure.setUp }
        return try await world.receive(upload, account)
      },
      portray: { picture, _, _ in
        guard let world = box.world.withLock({ $0 }) else { throw WebWorldFailure.setUp }
        guard let digest = Digest(rawValue: try world.blobs.put(picture.bytes).hex) else { throw WebWorldFailure.setUp }
        return Portrait(digest: digest, mediaType: "image/jpeg")
      },
      verifyPassword: { password, hash in
        box.world.withLock { $0 }?.passwordsAsked.withLock { $0.append(hash) }
        return password == hash
      }, hashPassword: { $0 }, detectors: detectors, detectorNotice: detectorNotice, heat: heat,
      clientAddress: { request, _ in request.headers[.userAgent] })
    let router = Router(context: FaceContext.self, options: .autoGenerateHeadEndpoints)
    let pages = face
    router.add(middleware: SecurityHeaders(isSecure: true))
    router.add(middleware: ProblemMiddleware { pages.problemPage($0, $1, $2) })
    face.addRoutes(to: router)
    responder = router.buildResponder()
    channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    box.world.withLock { $0 = self }
    let start = context
    try await database.write { tx in
      try tx.insert(
        PolicyRevision(number: 1, document: .standard, note: "", authorID: nil, createdAt: start.now))
    }
  }

  private final class Handover: Sendable {
    let world = Mutex<WebWorld?>(nil)
  }

  var now: Timestamp { clock.withLock { $0 } }
  func advance(_ duration: Duration) { clock.withLock { $0 = $0.adding(duration) } }
  var context: OperationContext { OperationContext(instance: instance, ids: ids, now: now) }

  func close() async throws {
    try await channel.close()
    try FileManager.default.removeItem(atPath: directory)
  }

  func person(_ name: String, role: Role = .artist) async throws -> Account {
    let context = context
    let new = NewAccount(
      username: name, email: "\(name)@mail.test", passwordHash: "secret of \(name)", role: role, keys: [])
    return try await database.write { try $0.createAccount(new, id: context.ids.next(), in: context) }
  }

  func stranger(_ name: String, of host: String) async throws -> Account {
    guard let home = IRI("https://\(host)/users/\(name)"), let inbox = IRI("https://\(host)/inbox") else {
      throw WebWorldFailure.setUp
    }
    let account = Account(
      id: ids.next(), username: name, host: home.host, uri: home, url: home, displayName: name, inbox: inbox,
      createdAt: now, fetchedAt: now)
    try await database.write { try $0.insert(account) }
    return account
  }

  /// A picture with its files and a decision, of the state that decision leads to.
  func picture(
    of owner: Account, alt: String = "A boat on a lake", verdict: Verdict = .accept, bytes: [UInt8]? = nil,
    width: Int = 1_200, height: Int = 800, policy: UsagePolicy? = nil, post: Post.ID? = nil,
    layers: [LayerOpinion] = []
  ) async throws -> Model.Attachment {
    let context = context
    let file = bytes ?? Array("picture \(ids.next() as ID<Attachment>)".utf8)
    let stored = try blobs.put(file)
    guard let digest = Digest(rawValue: stored.hex) else { throw WebWorldFailure.setUp }
    let state: Attachment.State =
      switch verdict {
      case .accept, .label: .ready
      case .hold: .held
      case .refuse: .refused
      }
    let picture = Attachment(
      id: context.ids.next(), ownerID: owner.id, postID: post, state: state, altText: alt, original: digest,
      width: width, height: height, usagePolicy: policy, createdAt: context.now)
    let evidence = Evidence(
      kind: "png.stable_diffusion_webui", strength: .strong, implies: .generated,
      text: "The file contains Stable Diffusion settings (Steps, Sampler, Seed).", place: "PNG tEXt 'parameters'")
    let record = WebWorld.record(
      verdict, on: picture, evidence: verdict == .accept || !layers.isEmpty ? [] : [evidence], layers, context)
    try await database.write { tx in
      try tx.insert(picture)
      try tx.insert(record)
      if state != .refused {
        try tx.replaceRenditions(
          of: picture.id,
          with: [Rendition.Kind.large, .medium].map { kind in
            Rendition(
              attachmentID: picture.id, kind: kind, digest: digest, mediaType: "image/jpeg", width: width,
              height: height, size: file.count)
          })
      }
    }
    return picture
  }

  private static func record(
    _ verdict: Verdict, on picture: Model.Attachment, evidence: [Evidence], _ layers: [LayerOpinion],
    _ context: OperationContext
  ) -> DecisionRecord {
    let assessment = Assessment(evidence: evidence, layers: layers, detector: "evidence/1")
    let reason = Reason(
      code: .strongEvidence, verdict: verdict,
      sentence: "The file carries strong evidence that it was made by an image generator.")
    return DecisionRecord(
      id: context.ids.next(), attachmentID: picture.id, verdict: verdict, reasons: verdict == .accept ? [] : [reason],
      facts: ImageFacts(assessment, declaration: .none, origin: nil, isCleared: false, author: .member),
      assessment: assessment, policyRevision: 1, decidedAt: context.now, decidedBy: nil)
  }

  private func receive(_ upload: Upload, _ owner: Account) async throws -> UploadOutcome {
    guard !upload.bytes.starts(with: Array("broken".utf8)) else {
      throw Problem(.unprocessableContent, "image.truncated", "The file ends before the picture does.")
    }
    let picture = try await picture(
      of: owner, alt: upload.altText, verdict: verdict.withLock { $0 }, bytes: upload.bytes)
    return try await database.read { tx in
      guard let decision = try tx.decisions(on: [picture.id])[picture.id] else { throw WebWorldFailure.setUp }
      return UploadOutcome(
        attachment: picture, renditions: try tx.renditions(of: [picture.id])[picture.id] ?? [], decision: decision,
        hadLocation: false)
    }
  }

  func post(
    by author: Account, text: String = "Evening at the lake", pictures: [Model.Attachment], spoiler: String = "",
    visibility: Visibility = .everyone
  ) async throws -> Post {
    let context = context
    let instance = instance
    return try await database.write { tx in
      var draft = try tx.draft(of: text, on: instance)
      draft.attachments = pictures.map(\.id)
      draft.spoiler = spoiler
      draft.visibility = visibility
      return try tx.publish(draft, by: author, in: context)
    }
  }

  /// A post of another server, as receiving stores it.
  func remotePost(by author: Account, content: String, verdict: Verdict) async throws -> (Post, Model.Attachment) {
    let id: Post.ID = ids.next()
    guard let uri = author.uri.appending("/statuses/\(id)") else { throw WebWorldFailure.setUp }
    let post = Post(
      id: id, uri: uri, url: uri, authorID: author.id, content: content, visibility: .everyone, createdAt: now,
      isLocal: false)
    try await database.write { try $0.insert(post) }
    return (post, try await picture(of: author, verdict: verdict, post: id))
  }

  func answer(
    _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], body: [UInt8] = []
  ) async throws -> WebAnswer {
    var fields = headers
    if fields[.accept] == nil { fields[.accept] = "text/html,*/*" }
    let head = HTTPRequest(
      method: method, scheme: instance.base.scheme, authority: instance.host.text, path: path, headerFields: fields)
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: body)))
    let source = ApplicationRequestContextSource(channel: channel, logger: Logger(label: "web"))
    let response = try await responder.respond(to: request, context: FaceContext(source: source))
    let sink = Sink()
    try await response.body.write(Writer(sink: sink))
    return WebAnswer(
      status: response.status.code, headers: response.headers, body: sink.bytes.withLock { $0 })
  }

  private final class Sink: Sendable {
    let bytes = Mutex<[UInt8]>([])
  }

  private struct Writer: ResponseBodyWriter {
    let sink: Sink
    mutating func write(_ buffer: ByteBuffer) async throws {
      sink.bytes.withLock { $0 += Array(buffer.readableBytesView) }
    }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
  }
}

enum WebWorldFailure: Error { case setUp }

struct WebAnswer: Sendable {
  let status: Int
  let headers: HTTPFields
  let body: [UInt8]
  var text: String { String(decoding: body, as: UTF8.self) }

  func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

  /// The value of the form's hidden token.
  var token: String {
    guard let start = text.range(of: "name=\"token\" value=\"") else { return "" }
    return String(text[start.upperBound...].prefix { $0 != "\"" })
  }
}

/// A person at a browser: keeps cookies, posts forms.
final class WebBrowser: Sendable {
  let world: WebWorld
  let address: String
  let cookies = Mutex<[String: String]>([:])

  init(_ world: WebWorld, address: String = "192.0.2.7") {
    self.world = world
    self.address = address
  }

  private var fields: HTTPFields {
    let jar = cookies.withLock { $0 }.filter { !$0.value.isEmpty }
    var fields: HTTPFields = [.userAgent: address]
    if !jar.isEmpty { fields[.cookie] = jar.map { "\($0.key)=\($0.value)" }.joined(separator: "; ") }
    return fields
  }

  private func keep(_ answer: WebAnswer) -> WebAnswer {
    for cookie in answer.headers[values: .setCookie] {
      let pair = cookie.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2 { cookies.withLock { $0[String(pair[0])] = String(pair[1]) } }
    }
    return answer
  }

  func get(_ path: String, headers: [(HTTPField.Name, String)] = []) async throws -> WebAnswer {
    var all = fields
    for (name, value) in headers { all[name] = value }
    return keep(try await world.answer(.get, path, headers: all))
  }

  func post(
    _ path: String, _ form: [String: String], headers: [(HTTPField.Name, String)] = []
  ) async throws -> WebAnswer {
    var all = fields
    all[.contentType] = "application/x-www-form-urlencoded"
    for (name, value) in headers { all[name] = value }
    let body = form.map { "\(percentEncoded($0.key))=\(percentEncoded($0.value))" }.joined(separator: "&")
    return keep(try await world.answer(.post, path, headers: all, body: Array(body.utf8)))
  }

  func upload(_ path: String, _ form: [String: String], file: [UInt8]?) async throws -> WebAnswer {
    var all = fields
    all[.contentType] = "multipart/form-data; boundary=edge"
    var body: [UInt8] = []
    for (name, value) in form {
      body += Array("--edge\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
    }
    if let file {
      let disposition = "Content-Disposition: form-data; name=\"picture\"; filename=\"a.jpg\""
      body += Array("--edge\r\n\(disposition)\r\nContent-Type: image/jpeg\r\n\r\n".utf8)
      body += file + Array("\r\n".utf8)
    }
    body += Array("--edge--\r\n".utf8)
    return keep(try await world.answer(.post, path, headers: all, body: body))
  }

  func send(_ path: String, type: String, _ body: [UInt8]) async throws -> WebAnswer {
    var all = fields
    all[.contentType] = type
    return keep(try await world.answer(.post, path, headers: all, body: body))
  }

  func signIn(as name: String) async throws {
    let form = try await get("/login")
    _ = try await post("/login", ["token": form.token, "name": name, "password": "secret of \(name)"])
  }
}
