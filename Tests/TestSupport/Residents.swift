import Crypto
import Federation
import Model
import Operations
import Persistence
import Policy
import Primitives
import Server
import Signatures
import Store
import Synchronization

/// Somebody with an account on a server under test, and a token for its API.
package struct Resident: Sendable {
  package let account: Account
  package let token: String
}

extension TestInstance {
  /// No password: making one costs a quarter of a second, and no test of this kind signs in by it.
  package func resident(
    _ name: String, role: Role = .artist, scopes: String = "read write follow"
  ) async throws -> Resident {
    let services = services
    let context = services.context
    let id: Account.ID = services.ids.next()
    let keys = try KeyRing.make(
      for: id, actor: services.instance.actor(name), in: services.instance, seal: services.seal,
      random: services.surroundings.random)
    let new = NewAccount(
      username: name, email: "\(name)@example.com", passwordHash: "none", role: role, keys: keys)
    let token = "token-of-\(name)"
    let digest = Hex.encode(Array(SHA256.hash(data: Array(token.utf8))))
    let tokenID: ID<AccessToken> = services.ids.next()
    let account = try await database.write { tx in
      let account = try tx.createAccount(new, id: id, in: context)
      try tx.insert(
        AccessToken(
          id: tokenID, secretHash: digest, accountID: id, application: "Tests", scopes: scopes, createdAt: context.now))
      return account
    }
    return Resident(account: account, token: token)
  }

  /// A request to the API in the name of `resident`.
  package func api(
    _ method: String, _ target: String, as resident: Resident? = nil, json: JSON? = nil
  ) async throws -> WireAnswer {
    var headers: [(String, String)] = []
    if let resident { headers.append(("Authorization", "Bearer \(resident.token)")) }
    if json != nil { headers.append(("Content-Type", "application/json")) }
    return try await client.request(method, target, host: host, headers: headers, body: json?.bytes ?? [])
  }

  /// `POST /api/v2/media` with `bytes` as its file.
  package func upload(
    _ bytes: [UInt8], named file: String = "work.png", type: String? = "image/png", alt: String = "",
    as resident: Resident
  ) async throws -> WireAnswer {
    try await client.send(uploadRequest(bytes, named: file, type: type, alt: alt, as: resident))
  }

  package func uploadRequest(
    _ bytes: [UInt8], named file: String = "work.png", type: String? = "image/png", alt: String = "",
    as resident: Resident
  ) -> [UInt8] {
    let mark = "atelier-test-boundary"
    var body = Array("--\(mark)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(file)\"\r\n".utf8)
    if let type { body += Array("Content-Type: \(type)\r\n".utf8) }
    body += Array("\r\n".utf8) + bytes
    body += Array("\r\n--\(mark)\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\n\(alt)\r\n".utf8)
    body += Array("--\(mark)--\r\n".utf8)
    return WireClient.bytes(
      "POST", "/api/v2/media", host: host,
      headers: [
        ("Authorization", "Bearer \(resident.token)"), ("Content-Type", "multipart/form-data; boundary=\(mark)"),
      ], body: body)
  }

  /// Waits until `look` finds what it looks for, asking again whenever something was committed. Nil when it does not
  /// come in time.
  package func eventually<Found: Sendable>(
    within limit: Duration = .seconds(30),
    _ look: @escaping @Sendable (any ReadTransaction) throws -> Found?
  ) async throws -> Found? {
    let database = database
    return try await withThrowingTaskGroup(of: Found?.self) { group in
      group.addTask {
        let signals = database.signals.subscribe(to: [.jobs, .deliveries, .posts, .notifications])
        if let found = try await database.read(look) { return found }
        for await _ in signals {
          if let found = try await database.read(look) { return found }
        }
        return nil
      }
      // Not everything that is committed is announced.
      group.addTask {
        while !Task.isCancelled {
          try await Task.sleep(for: .milliseconds(50))
          if let found = try await database.read(look) { return found }
        }
        return nil
      }
      group.addTask {
        try await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }
}
