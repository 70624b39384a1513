import NIOCore
import NIOPosix
import NIOSSL
import Primitives
import Synchronization

/// The one server that takes our mail, as its operator named it.
package struct MailServer: Hashable, Sendable {
  package enum Security: String, Hashable, Sendable, CaseIterable {
    /// TLS from the first byte, port 465 (RFC 8314).
    case implicit
    /// TLS after a greeting in clear, port 587. Without it nothing is sent.
    case startTLS = "starttls"
    /// In clear, to a relay on this machine.
    case none
  }

  package var host: String
  package var port: Int
  package var security: Security
  package var user: String?
  package var password: String?
  package var extraCAFile: String?

  package init(
    host: String, port: Int, security: Security, user: String? = nil, password: String? = nil,
    extraCAFile: String? = nil
  ) {
    self.host = host
    self.port = port
    self.security = security
    self.user = user
    self.password = password
    self.extraCAFile = extraCAFile
  }
}

/// Why a mail is not known to be on its way.
package enum MailFailure: Error, Hashable, Sendable {
  /// Before the server had the message: it can not have a copy.
  case notHandedOver(String)
  /// The server had the whole message and went away before it answered. It may or may not have kept it.
  case unanswered
  /// 5xx to this sender, this recipient or this text. Another try gives the same answer.
  case refused(Int)
  /// Nothing can be sent before somebody changes the settings here or there.
  case unusable(String)

  /// A stable word for logs and the queue. Never what the server said: it may repeat the recipient's address.
  package var code: String {
    switch self {
    case .notHandedOver(let what): "mail.\(what)"
    case .unanswered: "mail.unanswered"
    case .refused(let status): "mail.refused_\(status)"
    case .unusable(let what): "mail.unusable_\(what)"
    }
  }
}

/// Hands mail to the configured server (RFC 5321), one connection for each. Dials nothing else.
package struct SMTPClient: Sendable {
  private let server: MailServer
  private let name: String
  private let tls: NIOSSLContext?
  private let resolver: any AddressResolver
  private let dialer: any Dialer
  private let group: any EventLoopGroup
  private let deadline: Duration

  /// - Parameters:
  ///   - name: what we call ourselves: the host of the instance.
  ///   - deadline: for the whole conversation, however slowly the other side talks.
  /// - Throws: when certificates can not be read.
  package init(
    server: MailServer, name: String, resolver: any AddressResolver, dialer: any Dialer = DirectDialer(),
    group: any EventLoopGroup, deadline: Duration = Limits.mailDeadline
  ) throws {
    self.server = server
    self.name = name
    self.resolver = resolver
    self.dialer = dialer
    self.group = group
    self.deadline = deadline
    tls =
      server.security == .none
      ? nil : try NIOSSLContext(configuration: GuardedClient.tls(extraCAFile: server.extraCAFile))
  }

  /// Whether the server said it keeps the mail: whatever happens to the connection afterwards changes nothing.
  private final class Receipt: Sendable {
    let isSigned = Mutex(false)
  }

  package func send(_ message: MailMessage) async throws(MailFailure) {
    let receipt = Receipt()
    do {
      try await deliver(message, receipt)
    } catch {
      if receipt.isSigned.withLock({ $0 }) { return }
      switch error {
      case let failure as MailFailure: throw failure
      case is TransportFailure: throw .notHandedOver("lookup")
      case is CancellationError: throw .notHandedOver("cancelled")
      case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: throw .notHandedOver("tls")
      case is Conversation.Ended: throw .notHandedOver("disconnected")
      default: throw .notHandedOver("connect")
      }
    }
  }

  private func deliver(_ message: MailMessage, _ receipt: Receipt) async throws {
    let connection = try await connect()
    // Closing is what ends a wait: the other side may drip a byte a minute for ever.
    let timer = connection.channel.eventLoop.scheduleTask(in: TimeAmount(deadline)) {
      connection.channel.close(promise: nil)
    }
    defer { timer.cancel() }
    try await connection.executeThenClose { inbound, outbound in
      var talk = Conversation(inbound: inbound, outbound: outbound)
      do {
        try await converse(&talk, connection.channel, message)
        receipt.isSigned.withLock { $0 = true }
        // It is theirs now, whether they hear goodbye or not.
        await talk.goodbye()
      } catch let failure as MailFailure {
        throw failure
      } catch {
        throw talk.isHandedOver ? MailFailure.unanswered : error
      }
    }
  }

  private func connect() async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
    var addresses = Address(server.host).map { [$0] } ?? []
    if addresses.isEmpty { addresses = try await resolver.addresses(of: server.host, within: Limits.lookupTimeout) }
    var failure: any Error = MailFailure.notHandedOver("lookup")
    for address in addresses.prefix(Limits.addressesTried) {
      let endpoint = dialer.destination(for: Endpoint(address: address, port: server.port))
      do {
        return try await ClientBootstrap(group: group)
          .connectTimeout(TimeAmount(Limits.connectTimeout))
          .connect(to: SocketAddress(ipAddress: endpoint.address.description, port: endpoint.port)) { channel in
            channel.eventLoop.makeCompletedFuture {
              if server.security == .implicit { try channel.pipeline.syncOperations.addHandler(secured()) }
              return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(inboundType: ByteBuffer.self, outboundType: ByteBuffer.self))
            }
          }
      } catch {
        failure = error
      }
    }
    throw failure
  }

  private var isLiteral: Bool { Address(server.host) != nil }

  private func secured() throws -> NIOSSLClientHandler {
    guard let tls else { throw MailFailure.unusable("tls") }
    return try NIOSSLClientHandler(context: tls, serverHostname: isLiteral ? nil : server.host)
  }

  /// As `GuardedClient` does: NIOSSL takes a certificate for the address it dialled in place of one for the name.
  private func checkName(_ channel: any Channel) async throws {
    guard !isLiteral else { return }
    let certificate = try await channel.nioSSL_peerCertificate().get()
    guard let certificate, CertificateName.matches(server.host, certificate) else {
      throw MailFailure.notHandedOver("tls")
    }
  }

  private func converse(
    _ talk: inout Conversation, _ channel: any Channel, _ message: MailMessage
  ) async throws {
    try await talk.reply().expect(220, or: "greeting")
    if server.security == .implicit { try await checkName(channel) }
    var words = try await talk.hello(name)
    if server.security == .startTLS {
      guard words.contains("STARTTLS") else { throw MailFailure.notHandedOver("no_starttls") }
      try await talk.command("STARTTLS").expect(220, or: "no_starttls")
      // What came after that line in the same breath was not written by whoever holds the key (CVE-2011-0411).
      guard talk.isDrained else { throw MailFailure.notHandedOver("injected") }
      try await channel.eventLoop.submit {
        try channel.pipeline.syncOperations.addHandler(secured(), position: .first)
      }.get()
      words = try await talk.hello(name)
      try await checkName(channel)
    }
    if let user = server.user { try await authenticate(&talk, words, user, server.password ?? "") }
    try await talk.command("MAIL FROM:<\(message.from)>").accept(250)
    try await talk.command("RCPT TO:<\(message.to)>").accept(250)
    try await talk.command("DATA").accept(354)
    try await talk.hand(over: message.bytes)
    try await talk.reply().accept(250)
  }

  private func authenticate(
    _ talk: inout Conversation, _ words: Set<String>, _ user: String, _ password: String
  ) async throws {
    guard server.security != .none else { throw MailFailure.unusable("password_in_clear") }
    if words.contains("AUTH PLAIN") {
      let secret = Base64.encode([0] + Array(user.utf8) + [0] + Array(password.utf8))
      try await talk.command("AUTH PLAIN \(secret)").expect(235, or: "password")
    } else if words.contains("AUTH LOGIN") {
      try await talk.command("AUTH LOGIN").expect(334, or: "password")
      try await talk.command(Base64.encode(Array(user.utf8))).expect(334, or: "password")
      try await talk.command(Base64.encode(Array(password.utf8))).expect(235, or: "password")
    } else {
      throw MailFailure.notHandedOver("no_auth")
    }
  }
}

/// One reply, however many lines it had.
private struct Reply {
  let status: Int
  let lines: [String]

  /// Anything else is about the server or our settings: every mail fails alike, until somebody mends it.
  func expect(_ status: Int, or what: String) throws(MailFailure) {
    guard self.status == status else { throw .notHandedOver(what) }
  }

  /// Anything else is about this mail.
  func accept(_ status: Int) throws(MailFailure) {
    if self.status == status || (status == 250 && self.status == 251) { return }
    throw (500...599).contains(self.status) ? .refused(self.status) : .notHandedOver("deferred_\(self.status)")
  }
}

private struct Conversation {
  private var arriving: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  private var waiting: [UInt8] = []
  private(set) var isHandedOver = false

  struct Ended: Error {}

  init(inbound: NIOAsyncChannelInboundStream<ByteBuffer>, outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) {
    arriving = inbound.makeAsyncIterator()
    self.outbound = outbound
  }

  var isDrained: Bool { waiting.isEmpty }

  mutating func command(_ line: String) async throws -> Reply {
    // Every part was checked before; this is the last place where a line break could become a second command.
    guard line.utf8.count <= Limits.mailLine, line.utf8.allSatisfy({ (32...126).contains($0) }) else {
      throw MailFailure.unusable("line")
    }
    try await outbound.write(ByteBuffer(string: line + "\r\n"))
    return try await reply()
  }

  /// The extensions, as upper-case words; of AUTH one word for each mechanism.
  mutating func hello(_ name: String) async throws -> Set<String> {
    let reply = try await command("EHLO \(name)")
    try reply.expect(250, or: "greeting")
    var words: Set<String> = []
    for line in reply.lines.dropFirst() {
      let parts = line.uppercased().split { $0 == " " || $0 == "=" }.map(String.init)
      guard let first = parts.first else { continue }
      words.insert(first)
      if first == "AUTH" { for mechanism in parts.dropFirst() { words.insert("AUTH \(mechanism)") } }
    }
    return words
  }

  /// The text and the full stop that ends it. From the first byte of that last line on, the mail may be theirs.
  mutating func hand(over bytes: [UInt8]) async throws {
    try await outbound.write(ByteBuffer(bytes: bytes))
    isHandedOver = true
    try await outbound.write(ByteBuffer(string: ".\r\n"))
  }

  func goodbye() async {
    do { try await outbound.write(ByteBuffer(string: "QUIT\r\n")) } catch { return }
  }

  mutating func reply() async throws -> Reply {
    var lines: [String] = []
    while lines.count < Limits.mailReplyLines {
      let line = try await line()
      let digits = line.prefix(3)
      guard digits.count == 3, digits.allSatisfy({ (48...57).contains($0) }),
        let status = Int(String(decoding: digits, as: UTF8.self))
      else { throw MailFailure.notHandedOver("malformed") }
      lines.append(String(decoding: line.dropFirst(4), as: UTF8.self))
      if line.dropFirst(3).first != UInt8(ascii: "-") { return Reply(status: status, lines: lines) }
    }
    throw MailFailure.notHandedOver("malformed")
  }

  private mutating func line() async throws -> [UInt8] {
    while true {
      if let end = waiting.firstIndex(of: 10) {
        let line = waiting[..<end]
        waiting.removeSubrange(...end)
        return Array(line.last == 13 ? line.dropLast() : line)
      }
      guard waiting.count <= Limits.mailLine else { throw MailFailure.notHandedOver("malformed") }
      guard let more = try await arriving.next() else { throw Ended() }
      guard more.readableBytes <= Limits.mailReply else { throw MailFailure.notHandedOver("malformed") }
      waiting += more.readableBytesView
    }
  }
}

extension Limits {
  package static let mailDeadline = Duration.seconds(60)
  /// RFC 5321 §4.5.3.1.5 asks for 512; servers that list many extensions write more.
  static let mailLine = 2_048
  static let mailReplyLines = 100
  static let mailReply = 64 << 10
}
