import NIOCore
import NIOPosix
import NIOSSL
import Primitives
import Synchronization

/// A mail server on a real socket, which does to each connection what a test tells it to.
package final class FakeMailServer: Sendable {
  package struct Mail: Hashable, Sendable {
    package var from: String
    package var to: String
    package var text: String
    package var wasSealed: Bool
    package var user: String?
  }

  /// What happens on one connection; everything else is as it should be.
  package struct Behaviour: Sendable {
    package var offersTLS = true
    package var refusesTLS = false
    /// Written right behind the answer to STARTTLS, in clear.
    package var injects: String?
    /// Answers by the first word of a command; `.` is the end of the text. Nil text says nothing at all.
    package var replies: [String: String?] = [:]
    /// Closes instead of answering this command. At `.` the mail is kept all the same.
    package var diesAt: String?
    package init() {}
    package init(_ change: (inout Behaviour) -> Void) { change(&self) }
  }

  private struct State {
    var script: [Behaviour] = []
    var mails: [Mail] = []
    var connections = 0
    var commands: [String] = []
  }

  private let state = Mutex(State())
  private let channel: any Channel
  private let arrivals: AsyncStream<Mail>.Continuation
  package let mails: AsyncStream<Mail>
  package let port: Int
  package let isImplicit: Bool

  package convenience init(implicit: Bool = false, _ script: Behaviour...) async throws {
    try await self.init(implicit: implicit, script: script)
  }

  package init(implicit: Bool = false, script: [Behaviour]) async throws {
    isImplicit = implicit
    (mails, arrivals) = AsyncStream.makeStream(of: Mail.self)
    let box = Handover()
    let tls = try TLSParts.server()
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let server = box.server.withLock({ $0 }) else { throw ChannelError.ioOnClosedChannel }
          if implicit { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          try channel.pipeline.syncOperations.addHandler(MailTalk(server, server.nextBehaviour(), tls, implicit))
        }
      }.bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
    state.withLock { $0.script = script }
    box.server.withLock { $0 = self }
  }

  private final class Handover: Sendable {
    let server = Mutex<FakeMailServer?>(nil)
  }

  package var kept: [Mail] { state.withLock { $0.mails } }
  package var connections: Int { state.withLock { $0.connections } }
  package var commands: [String] { state.withLock { $0.commands } }
  package func close() async throws { try await channel.close() }
  /// From the next connection on; the last one stays.
  package func play(_ script: [Behaviour]) { state.withLock { $0.script = script } }

  fileprivate func nextBehaviour() -> Behaviour {
    state.withLock { state in
      state.connections += 1
      guard let first = state.script.first else { return Behaviour() }
      if state.script.count > 1 { state.script.removeFirst() }
      return first
    }
  }

  fileprivate func note(_ command: String) { state.withLock { $0.commands.append(command) } }

  fileprivate func keep(_ mail: Mail) {
    state.withLock { $0.mails.append(mail) }
    arrivals.yield(mail)
  }
}

extension FakeMailServer.Mail {
  /// The text as its reader sees it.
  package var body: String {
    let parts = text.replacing("\r\n", with: "\n").split(separator: "\n\n", maxSplits: 1)
    guard parts.count == 2 else { return "" }
    let joined = parts[1].replacing("=\n", with: "")
    var bytes: [UInt8] = []
    var rest = Array(joined.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "="),
        let decoded = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self).lowercased())
      {
        bytes += decoded
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The first link whose path begins like this.
  package func link(_ path: String) -> String? {
    body.split(whereSeparator: \.isWhitespace).map(String.init).first { $0.contains(path + "/") || $0.hasSuffix(path) }
  }

  package func header(_ name: String) -> [String] {
    let head = text.replacing("\r\n", with: "\n").split(separator: "\n\n", maxSplits: 1).first ?? ""
    return head.replacing("\n ", with: " ").split(separator: "\n").filter { $0.hasPrefix(name + ":") }.map(String.init)
  }
}

private final class MailTalk: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let server: FakeMailServer
  private let behaviour: FakeMailServer.Behaviour
  private let tls: NIOSSLContext
  private var isSealed: Bool
  private var waiting: [UInt8] = []
  private var mail: FakeMailServer.Mail
  private var isText = false

  init(
    _ server: FakeMailServer, _ behaviour: FakeMailServer.Behaviour, _ tls: NIOSSLContext, _ isSealed: Bool
  ) {
    self.server = server
    self.behaviour = behaviour
    self.tls = tls
    self.isSealed = isSealed
    mail = .init(from: "", to: "", text: "", wasSealed: isSealed)
  }

  func channelActive(context: ChannelHandlerContext) { answer("CONNECT", "220 mail.peers.test ESMTP", context) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    waiting += unwrapInboundIn(data).readableBytesView
    while let end = waiting.firstIndex(of: 10) {
      let line = String(decoding: waiting[..<end], as: UTF8.self).replacing("\r", with: "")
      waiting.removeSubrange(...end)
      isText ? text(line, context) : command(line, context)
    }
  }

  private func text(_ line: String, _ context: ChannelHandlerContext) {
    guard line == "." else {
      mail.text += line + "\r\n"
      return
    }
    isText = false
    let refusal = behaviour.replies["."].flatMap { $0 }
    if refusal == nil || refusal?.hasPrefix("2") == true { server.keep(mail) }
    answer(".", "250 kept", context)
  }

  private func command(_ line: String, _ context: ChannelHandlerContext) {
    server.note(line)
    let word = line.uppercased().split(separator: " ").first.map(String.init) ?? ""
    switch word {
    case "EHLO":
      let tls = behaviour.offersTLS && !isSealed ? "250-STARTTLS\r\n" : ""
      answer(word, "250-mail.peers.test\r\n\(tls)250-SIZE 10000000\r\n250 AUTH PLAIN LOGIN", context)
    case "STARTTLS": startTLS(context)
    case "AUTH":
      let secret = line.split(separator: " ").last.flatMap { Base64.decode(String($0)) } ?? []
      mail.user = String(decoding: secret.split(separator: 0).first ?? [], as: UTF8.self)
      answer(word, "235 welcome", context)
    case "MAIL":
      mail.from = line
      answer(word, "250 ok", context)
    case "RCPT":
      mail.to = line
      answer(word, "250 ok", context)
    case "DATA":
      isText = behaviour.replies["DATA"] == nil
      answer(word, "354 go on", context)
    default: answer(word, "221 bye", context)
    }
  }

  private func startTLS(_ context: ChannelHandlerContext) {
    guard !behaviour.refusesTLS else { return answer("STARTTLS", "454 not now", context) }
    answer("STARTTLS", "220 go ahead" + (behaviour.injects.map { "\r\n\($0)" } ?? ""), context)
    isSealed = true
    mail.wasSealed = true
    do {
      try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
    } catch { context.close(promise: nil) }
  }

  private func answer(_ word: String, _ line: String, _ context: ChannelHandlerContext) {
    if behaviour.diesAt == word { return context.close(promise: nil) }
    var line: String? = line
    if let other = behaviour.replies[word] { line = other }
    guard let line else { return }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: line + "\r\n")), promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
