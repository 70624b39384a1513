import Federation
import Logging
import Model
import Operations
import Persistence
import Primitives
import Store
import Transport

/// The way to the mail server, and the address we write from.
package struct Postbox: Sendable {
  let client: SMTPClient
  let from: EmailAddress

  init?(_ settings: Settings, _ surroundings: Surroundings) throws {
    guard let mail = settings.mail else { return nil }
    from = mail.from
    client = try SMTPClient(
      server: mail.server, name: settings.instance.host.name, resolver: surroundings.resolver,
      dialer: surroundings.dialer, group: surroundings.group)
  }
}

extension Services {
  /// Works off one letter. A mail leaves at least once while its server can be reached within `Limits.letterLife`, and
  /// at most once more than its answer was lost: SMTP can not tell a lost answer from a lost mail.
  package func send(_ letter: Letter, _ lease: JobLease) async throws {
    let now = time.now()
    guard let postbox else {
      return try await database.write { try $0.finish(lease) }
    }
    guard now < lease.id.time.adding(Limits.letterLife) else {
      log.error("a mail could not be sent in time", metadata: ["attempts": "\(lease.attempt)"])
      return try await database.write { try $0.quarantine(lease, error: "mail.expired") }
    }
    let secret = surroundings.random.token()
    let writing = LetterWriting(instance: instance, title: settings.title, secret: secret, now: now)
    guard let sheet = try await database.write({ try writing.sheet(for: letter, $0) }) else {
      // What it was about is over.
      return try await database.write { try $0.finish(lease) }
    }
    do {
      try await postbox.client.send(
        MailMessage(
          from: postbox.from, fromName: settings.title, to: sheet.to, subject: sheet.subject, text: sheet.text,
          date: now, id: lease.id.description))
    } catch {
      return try await giveBack(lease, after: error)
    }
    try await database.write { tx in
      try tx.finish(lease)
      try tx.close(letter)
    }
  }

  /// One mail outside the queue, for an operator who wants to know. Nil when it was taken; else a stable word.
  package func tryMail(to address: EmailAddress) async throws -> String? {
    guard let postbox else { return "smtp.host is not set" }
    let id: ID<Job> = ids.next()
    do {
      try await postbox.client.send(
        MailMessage(
          from: postbox.from, fromName: settings.title, to: address, subject: "A test of \(settings.title)",
          text: "Hello,\n\nmail from \(instance.base.text) arrives.\n", date: time.now(), id: id.description))
      return nil
    } catch {
      return error.code
    }
  }

  private func giveBack(_ lease: JobLease, after failure: MailFailure) async throws {
    let jitter = surroundings.random.unit()
    let now = time.now()
    let next = now.adding(Self.mailDelay(after: lease.attempt)).adding(.seconds(10) * jitter)
    let reason = failure.code
    log.warning("a mail was not sent", metadata: ["reason": "\(reason)", "attempt": "\(lease.attempt)"])
    try await database.write { tx in
      let lost = MailFailure.unanswered.code
      let wasLost = try tx.lastError(of: lease) == lost
      switch failure {
      // The same for every try: somebody has no such mailbox, or the server does not want the text.
      case .refused: try tx.finish(lease)
      // The second time the whole mail was over there. A third would be noise.
      case .unanswered where wasLost: try tx.finish(lease)
      case .unanswered, .notHandedOver, .unusable:
        try tx.retry(lease, at: next, error: wasLost ? lost : reason)
      }
    }
  }

  /// People sit and wait for these: soon at first, then every hour.
  package static func mailDelay(after attempt: Int) -> Duration {
    min(.seconds(3_600), .seconds(15 << Int64(min(10, max(0, attempt - 1)))))
  }
}

extension WriteTransaction {
  /// What was kept only until its letter was sent.
  fileprivate func close(_ letter: Letter) throws {
    if case .declined(let id) = letter { try delete(signUp: id) }
  }
}
