import Foundation
import Model
import NIOCore
import Operations
import Persistence
import Primitives
import Store
import TestSupport
import Testing

/// Steps that several groups of cases need beside requests to inboxes.
extension AbuseWorld {
  func performMore(_ attempt: JSON, _ shape: AbuseCase.Shape) async throws -> Outcome {
    switch attempt["do"]?.string ?? shape.rawValue {
    case "wire": return try await wire(attempt)
    case "api": return try await api(attempt)
    case "wait": return Outcome(activity: attempt["expect"]?["activity"]?.string)
    case "block_host_here":
      let now = world.clock.now
      let host = try #require(attempt["host"]?.string)
      try await instance.database.write { try $0.block(host: host, reason: "test", at: now) }
      return Outcome()
    case "odd_job":
      let now = world.clock.now
      let payload = try #require(attempt["payload"]?.string)
      try await instance.database.write { tx in
        _ = try tx.execute(
          """
          INSERT INTO jobs (id, lane, payload, run_at, attempt, state)
          VALUES (\(now.milliseconds), 'inbound', \(payload), \(now), 0, 'ready')
          """)
        tx.afterCommit(.jobs)
      }
      return Outcome()
    case let other:
      Issue.record("no such step: \(other)")
      return Outcome()
    }
  }

  /// Alice's client. `{account:URI}` in the path is the number of that account here.
  private func api(_ attempt: JSON) async throws -> Outcome {
    var path = try #require(attempt["path"]?.string)
    if let start = path.range(of: "{account:"), let end = path[start.upperBound...].firstIndex(of: "}") {
      let uri = try #require(IRI(String(path[start.upperBound..<end])))
      let account = try #require(try await instance.database.read { try $0.account(uri: uri) })
      path.replaceSubrange(start.lowerBound...end, with: account.id.description)
    }
    let answer = try await instance.api(
      attempt["method"]?.string ?? "GET", path, as: alice, json: attempt["json"].map { Template.fill($0) })
    return Outcome(status: answer.status, code: answer.code, answer: answer)
  }

  /// Exactly these bytes, on a connection of their own. Hanging up without a word is an answer too: status 0.
  private func wire(_ attempt: JSON) async throws -> Outcome {
    let bytes = Template.bytes(try #require(attempt["bytes"]))
    let outcome: Outcome
    do {
      let answer = try await instance.client.send(bytes, within: .seconds(5))
      outcome = Outcome(status: answer.status, code: answer.code, answer: answer)
    } catch is WireFailure {
      outcome = Outcome(status: 0)
    }
    // Whatever it was, the next one is served.
    let other = try await instance.client.request(
      "GET", "/.well-known/nodeinfo", host: "paper.test", headers: [("Accept", "application/json")])
    #expect(other.status == 200, "\(attempt["name"]?.string ?? "") left the server unwell")
    return outcome
  }

  /// `{post}` is the address of the last post of ours.
  func placed(_ activity: JSON) async throws -> JSON {
    let text = activity.text
    guard text.contains("{post}") else { return activity }
    let found = try await instance.database.read { tx in
      try tx.first("SELECT uri FROM posts WHERE is_local ORDER BY id DESC LIMIT 1")?.iri("uri")
    }
    let post = try #require(found)
    return try JSON(parsing: Array(text.replacingOccurrences(of: "{post}", with: post.text).utf8))
  }
}
