import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Persistence
import Policy
import Primitives
import Store

extension ClientAPI {
  /// The person to write to: the first of the staff, if there is one.
  private func contact(_ tx: any ReadTransaction) throws -> JSON {
    guard let account = try tx.staff().first else { return .null }
    return entities.account(account, counts: try tx.counts(of: [account.id])[account.id])
  }

  @Sendable func instanceV1(_ call: Call) async throws -> Response {
    try await database.read { [self] tx in
      entities.instanceV1(
        facts, counts: try tx.instanceCounts(), contact: try contact(tx), rules: try tx.instanceRules())
    }.response
  }

  @Sendable func instanceV2(_ call: Call) async throws -> Response {
    try await database.read { [self] tx in
      entities.instanceV2(
        facts, users: try tx.instanceCounts().users, contact: try contact(tx), rules: try tx.instanceRules())
    }.response
  }

  /// For what this server does not have: some clients do not start on a 404 here.
  @Sendable func emptyList(_ call: Call) async throws -> Response { .json([]) }

  @Sendable func preferences(_ call: Call) async throws -> Response {
    let id = try call.member().id
    let defaults = try await database.read { try $0.postingDefaults(of: id) }
    return .json([
      "posting:default:visibility": .string(defaults.visibility.rawValue),
      "posting:default:sensitive": .bool(defaults.isSensitive), "posting:default:language": .text(defaults.language),
      "reading:expand:media": "default", "reading:expand:spoilers": false, "reading:autoplay:gifs": false,
    ])
  }
}

extension JSON {
  /// A list of works says what the strictest of them says, not the leave of the place.
  var response: Response {
    guard case .array(let elements) = self else { return .json(self) }
    return JSON.listResponse(elements)
  }

  static func listResponse(_ elements: [JSON]) -> Response {
    var response = Response.json(.array(elements))
    let said = elements.flatMap(\.said)
    if let policy = combine(said)?.policy { response.state(policy) }
    return response
  }

  /// What an entity says of a work and of its pictures.
  private var said: [PolicyStatement] {
    let boosted = self["reblog"] ?? self
    let shown = boosted.object == nil ? self : boosted
    guard let party = (shown["uri"] ?? shown["url"])?.string.flatMap({ IRI($0) }) else { return [] }
    return ([shown] + (shown["media_attachments"]?.array ?? [])).compactMap { part in
      part["usage_policy"].flatMap { UsagePolicy(wire: $0) }.map {
        PolicyStatement(party: party, scope: .object, policy: $0)
      }
    }
  }

  /// The answer that shows one work: its headers say what the strictest part of the work says, as those of its page do.
  /// A machine that reads no body must not take the leave of the place for that of the artist.
  var workResponse: Response {
    var response = Response.json(self)
    if let policy = combine(said)?.policy { response.state(policy) }
    return response
  }
}

extension Response {
  /// Whether an endpoint has said already how machines may use what it shows.
  var statesPolicy: Bool {
    ["content-usage", "x-robots-tag", "tdm-reservation"].contains { name in
      HTTPField.Name(name).map { headers[$0] != nil } ?? false
    }
  }
}
