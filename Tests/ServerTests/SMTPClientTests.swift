import Foundation
import NIOPosix
import Primitives
import TestSupport
import Testing
import Transport

/// The client against a real server over a real socket, with TLS where a mail server would have it.
@Suite struct `The mail client` {
  private func client(
    _ server: FakeMailServer, _ world: TestWorld, _ security: MailServer.Security = .startTLS,
    user: String? = "atelier", host: String = "mail.peers.test", deadline: Duration = .seconds(20)
  ) throws -> SMTPClient {
    world.internet.name(host, ["45.0.0.25"])
    world.internet.lead("45.0.0.25", to: server.port)
    return try SMTPClient(
      server: MailServer(
        host: host, port: 587, security: security, user: user, password: user.map { "secret of \($0)" },
        extraCAFile: world.authorityFile), name: "paper.test", resolver: world.internet, dialer: world.internet,
      group: MultiThreadedEventLoopGroup.singleton, deadline: deadline)
  }

  private func message(
    to: String = "mika@mail.test", name: String = "Paper", subject: String = "Hello", text: String = "One\n.two\n"
  ) throws -> MailMessage {
    MailMessage(
      from: try #require(EmailAddress("atelier@paper.test")), fromName: name, to: try #require(EmailAddress(to)),
      subject: subject, text: text, date: TestWorld.start, id: "42")
  }

  private func failure(_ client: SMTPClient, _ message: MailMessage) async -> MailFailure? {
    do {
      try await client.send(message)
      return nil
    } catch { return error }
  }

  @Test(arguments: [true, false])
  func `hands a mail over, sealed and with its password`(isImplicit: Bool) async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let server = try await FakeMailServer(implicit: isImplicit)
    let long = "A line " + String(repeating: "with many words ", count: 20) + "ends = here.\n.\n..\n\u{00e9}\u{1f58c}\n"
    let client = try client(server, world, isImplicit ? .implicit : .startTLS)
    try await client.send(try message(subject: "Gr\u{00fc}\u{00df}e", text: long))
    let mail = try #require(server.kept.first)
    #expect(mail.wasSealed && mail.user == "atelier")
    #expect(mail.from == "MAIL FROM:<atelier@paper.test>" && mail.to == "RCPT TO:<mika@mail.test>")
    #expect(mail.body.hasPrefix(long), "\(mail.body)")
    #expect(mail.text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 76 && !$0.hasPrefix(".") })
    #expect(mail.header("Message-ID") == ["Message-ID: <42@paper.test>"])
    #expect(mail.header("Date") == ["Date: Tue, 03 Nov 2026 18:00:00 +0000"])
    try await server.close()
  }

  @Test func `sends nothing in clear when there is no TLS to be had`() async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let server = try await FakeMailServer(
      .init { $0.offersTLS = false }, .init { $0.refusesTLS = true },
      .init { $0.injects = "250-mail.peers.test\r\n250 AUTH PLAIN" })
    let client = try client(server, world)
    for code in ["mail.no_starttls", "mail.no_starttls", "mail.injected"] {
      #expect(await failure(client, try message())?.code == code)
    }
    #expect(server.commands.allSatisfy { $0.hasPrefix("EHLO") || $0 == "STARTTLS" }, "\(server.commands)")
    // A certificate for somebody else.
    let other = try self.client(server, world, host: "mail.elsewhere.test")
    // How the end of the handshake is seen depends on who is faster.
    let code = await failure(other, try message())?.code ?? ""
    #expect(["mail.tls", "mail.disconnected", "mail.connect", "mail.injected"].contains(code), "\(code)")
    #expect(server.kept.isEmpty && !server.commands.contains { $0.hasPrefix("AUTH") })
    try await server.close()
  }

  @Test(
    arguments: [
      ("CONNECT", "554 no", "mail.greeting"), ("AUTH", "535 wrong", "mail.password"),
      ("MAIL", "451 later", "mail.deferred_451"), ("RCPT", "450 greylisted", "mail.deferred_450"),
      ("RCPT", "550 nobody", "mail.refused_550"), ("DATA", "554 no", "mail.refused_554"),
      (".", "452 full", "mail.deferred_452"), (".", "554 spam", "mail.refused_554"),
      ("EHLO", "hello?", "mail.malformed"),
      ("EHLO", String(repeating: "x", count: 5_000), "mail.malformed"),
      ("EHLO", String(repeating: "250-x\r\n", count: 200), "mail.malformed"),
    ])
  func `says what an answer means for the mail`(word: String, reply: String, code: String) async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let server = try await FakeMailServer(.init { $0.replies = [word: reply] })
    #expect(await failure(try client(server, world), try message())?.code == code)
    #expect(server.kept.isEmpty)
    try await server.close()
  }

  @Test func `knows whether a server that dies can have the mail`() async throws {
    let world = try TestWorld()
    defer { world.remove() }
    for word in ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"] {
      let server = try await FakeMailServer(.init { $0.diesAt = word })
      let found = await failure(try client(server, world), try message())
      #expect(found != nil && found != .unanswered, "\(word): \(String(describing: found))")
      #expect(server.kept.isEmpty)
      try await server.close()
    }
    let server = try await FakeMailServer(.init { $0.diesAt = "." }, .init { $0.diesAt = "QUIT" })
    let client = try client(server, world)
    #expect(await failure(client, try message()) == .unanswered)
    #expect(await failure(client, try message()) == nil, "theirs, whatever happens to the farewell")
    #expect(server.kept.count == 2)
    try await server.close()
  }

  @Test(arguments: ["CONNECT", "EHLO", "DATA", "."])
  func `waits for nobody for ever`(word: String) async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let server = try await FakeMailServer(.init { $0.replies = [word: nil as String?] })
    let found = await failure(try client(server, world, deadline: .milliseconds(600)), try message())
    #expect(found == (word == "." ? .unanswered : .notHandedOver("disconnected")))
    try await server.close()
  }

  @Test func `P342 a line break in a name or a subject begins no header`() async throws {
    let world = try TestWorld()
    defer { world.remove() }
    let server = try await FakeMailServer()
    let client = try client(server, world)
    try await client.send(
      try message(name: "a\r\nBcc: victim@x.test", subject: "b\nBcc: victim@x.test\r\n\r\nbody \u{85}\u{2028}x"))
    let mail = try #require(server.kept.first)
    #expect(mail.header("Bcc").isEmpty && mail.header("From").count == 1 && mail.header("Subject").count == 1)
    #expect(!mail.text.lowercased().contains("\nbcc"))
    #expect(server.commands.filter { $0.hasPrefix("RCPT") }.count == 1)
    try await server.close()
  }
}

@Suite struct `An e-mail address` {
  @Test(
    arguments: [
      "a@b@c.test", "\"a@allowed.test\"@evil.test", "\"a\"@b.test", "a(comment)@b.test", "a@b.test(comment)",
      "a@b.test.", "a@.b.test", "a@b..test", ".a@b.test", "a.@b.test", "a..b@c.test", "a%b@c.test", "a!b@c.test",
      "a@[127.0.0.1]", "a@127.0.0.1", "a b@c.test", "a@b.test\r\nRCPT TO:<x@y.test>", "a@b.test\n", "a\u{0}@b.test",
      "\u{00e4}@b.test", "a@\u{00e4}.test", "a@b", "@b.test", "a@", "", "a@-b.test", "a@b-.test", "<a@b.test>",
      "a@b.test,c@d.test", "a@b.test;c@d.test", "@relay.test:a@b.test", "a@b_c.test",
    ])
  func `M283 is refused when two readers could see two mailboxes in it`(text: String) {
    #expect(EmailAddress(text) == nil)
  }

  @Test func `M283 is bounded, and its domain is the last part and nothing else`() throws {
    #expect(EmailAddress(String(repeating: "a", count: 64) + "@b.test") != nil)
    #expect(EmailAddress(String(repeating: "a", count: 65) + "@b.test") == nil)
    #expect(EmailAddress("a@" + String(repeating: "b.", count: 126) + "test") == nil)
    let address = try #require(EmailAddress("Mi.Ka+art@Sub.Mail.TEST"))
    #expect(address.domain == "sub.mail.test" && address.description == "Mi.Ka+art@sub.mail.test")
    #expect(address.isAt("mail.test") && !address.isAt("ail.test") && !address.isAt("mail.test.evil"))
    #expect(address.bucket == EmailAddress("mika@sub.mail.test")?.bucket)
  }
}
