import Foundation
import Model
import Primitives
import Transport

/// How this instance sends mail.
package struct MailSettings: Hashable, Sendable {
  package var server: MailServer
  package var from: EmailAddress

  package init(server: MailServer, from: EmailAddress) {
    self.server = server
    self.from = from
  }
}

extension Settings {
  static let mailNames = [
    "smtp.host", "smtp.port", "smtp.tls", "smtp.user", "smtp.password_file", "smtp.from", "registrations.mode",
    "registrations.reason_required", "registrations.message",
  ]

  /// Nil when no server is named: then nothing is sent, and nobody can sign up or reset a password by mail.
  static func mail(_ sources: SettingsSources, _ problems: inout [String]) -> MailSettings? {
    guard let host = sources.value("smtp.host"), !host.isEmpty else { return nil }
    let isLocal = ["localhost", "127.0.0.1", "::1"].contains(host)
    let before = problems.count
    if !isLocal, Address(host) == nil, !EmailAddress.isDomain(host) {
      problems.append("smtp.host is the name of a mail server, such as mail.paper.example, not \"\(host)\".")
    }
    let modeText = sources.value("smtp.tls") ?? "implicit"
    let mode = MailServer.Security(rawValue: modeText)
    if mode == nil { problems.append("smtp.tls is implicit, starttls or none, not \"\(modeText)\".") }
    if mode == MailServer.Security.none, !isLocal {
      problems.append("smtp.tls may be none only for a relay on this machine: mails hold links that sign people in.")
    }
    let usual = mode == .startTLS ? "587" : mode == .implicit ? "465" : "25"
    let portText = sources.value("smtp.port") ?? usual
    let port = Int(portText).flatMap { (1...65_535).contains($0) ? $0 : nil }
    if port == nil { problems.append("smtp.port is a number from 1 to 65535, not \"\(portText)\".") }
    let from = EmailAddress(sources.value("smtp.from") ?? "")
    if from == nil { problems.append("smtp.from is the address mails come from, such as atelier@paper.example.") }
    let user = sources.value("smtp.user").flatMap { $0.isEmpty ? nil : $0 }
    let password = password(sources, user, mode, &problems)
    guard problems.count == before, let mode, let port, let from else { return nil }
    return MailSettings(
      server: MailServer(
        host: host, port: port, security: mode, user: user, password: password,
        extraCAFile: sources.value("federation.extra_ca_file").flatMap { $0.isEmpty ? nil : $0 }), from: from)
  }

  /// From a file, because settings and environments get copied into reports.
  private static func password(
    _ sources: SettingsSources, _ user: String?, _ mode: MailServer.Security?, _ problems: inout [String]
  ) -> String? {
    guard user != nil else { return nil }
    if mode == MailServer.Security.none {
      problems.append("smtp.user needs smtp.tls to be implicit or starttls: a password is not sent in clear.")
    }
    guard let path = sources.value("smtp.password_file"), let data = FileManager.default.contents(atPath: path),
      data.count <= 1_024, let text = String(data: data, encoding: .utf8)
    else {
      problems.append("smtp.password_file is a readable file with the password of smtp.user.")
      return nil
    }
    let password = text.trimmingCharacters(in: .newlines)
    if password.isEmpty { problems.append("smtp.password_file is empty.") }
    return password
  }

  static func signUps(_ sources: SettingsSources, _ problems: inout [String]) -> SignUpRules {
    let text = sources.value("registrations.mode") ?? "closed"
    let mode = SignUpRules.Mode(rawValue: text)
    if mode == nil { problems.append("registrations.mode is open, approval, invite or closed, not \"\(text)\".") }
    if let mode, mode != .closed, (sources.value("smtp.host") ?? "").isEmpty {
      problems.append("registrations.mode \"\(text)\" needs smtp.host: addresses are confirmed by mail.")
    }
    let flag = sources.value("registrations.reason_required") ?? "false"
    if !["true", "false"].contains(flag) {
      problems.append("registrations.reason_required is true or false, not \"\(flag)\".")
    }
    let message = sources.value("registrations.message").flatMap { $0.isEmpty ? nil : $0 }
    return SignUpRules(mode: mode ?? .closed, needsReason: flag == "true", message: message)
  }
}
