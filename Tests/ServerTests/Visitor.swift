import Foundation
import HTTPSupport
import Primitives
import Synchronization
import TestSupport

/// A person at a browser in front of a whole server, on its socket: keeps cookies, posts forms.
final class Visitor: Sendable {
  let instance: TestInstance
  let address: String
  private let cookies = Mutex<[String: String]>([:])

  init(_ instance: TestInstance, from address: String = "192.0.2.7") {
    self.instance = instance
    self.address = address
  }

  private func headers(_ more: [(String, String)]) -> [(String, String)] {
    let jar = cookies.withLock { $0 }.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
    var headers = [("Accept", "text/html"), ("X-Forwarded-For", address)]
    if !jar.isEmpty { headers.append(("Cookie", jar.map { "\($0.key)=\($0.value)" }.joined(separator: "; "))) }
    return headers.filter { header in !more.contains { $0.0 == header.0 } } + more
  }

  private func keep(_ answer: WireAnswer) -> WireAnswer {
    for (name, value) in answer.headers where name == "set-cookie" {
      let pair = value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2 { cookies.withLock { $0[String(pair[0])] = String(pair[1]) } }
    }
    return answer
  }

  /// A cookie this browser has from somewhere else.
  func plant(_ name: String, _ value: String) { cookies.withLock { $0[name] = value } }

  func get(_ path: String, headers more: [(String, String)] = []) async throws -> WireAnswer {
    keep(try await instance.client.request("GET", path, host: instance.host, headers: headers(more)))
  }

  func post(
    _ path: String, _ form: [String: String], headers more: [(String, String)] = []
  ) async throws -> WireAnswer {
    let body = form.map { "\(percentEncoded($0.key))=\(percentEncoded($0.value))" }.joined(separator: "&")
    let all = headers(more + [("Content-Type", "application/x-www-form-urlencoded")])
    return keep(
      try await instance.client.request("POST", path, host: instance.host, headers: all, body: Array(body.utf8)))
  }

  /// Opens the page of a form and sends it.
  func submit(_ page: String, to path: String? = nil, _ form: [String: String]) async throws -> WireAnswer {
    let shown = try await get(page)
    var form = form
    form["token"] = shown.formToken
    return try await post(path ?? page, form)
  }

  func signIn(as name: String, password: String) async throws -> WireAnswer {
    try await submit("/login", ["name": name, "password": password])
  }
}

extension WireAnswer {
  /// The value of the form's hidden token.
  var formToken: String {
    guard let start = text.range(of: "name=\"token\" value=\"") else { return "" }
    return String(text[start.upperBound...].prefix { $0 != "\"" })
  }
}

extension String {
  /// Of a link in a mail.
  var pathOnly: String { IRI(self)?.pathAndQuery ?? "" }
}
