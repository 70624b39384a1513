import ActivityStreams
import Model
import Persistence
import Policy
import Primitives
import Store

extension UsagePolicy {
  /// As it stands inside an actor or an object. A default names the server as the one who says it: a reservation is the
  /// artist's to make, and nobody may take ours for theirs.
  func embedded(on instance: Instance) -> JSON {
    var json = wire
    if !basis.isArtists { json["attributedTo"] = .string(instance.actor.text) }
    return json
  }
}

extension PolicyVersion {
  /// The document under its own address, without the proof.
  package func document(by account: Account, on instance: Instance) -> JSON {
    let signals = OutgoingSignals(policy)
    var json = policy.wire
    json["attributedTo"] = .string((policy.basis.isArtists ? account.uri : instance.actor).text)
    json["published"] = .string(statedAt.iso8601Seconds)
    if number > 1 { json["supersedes"] = .string(instance.policy(number - 1, of: account.username).text) }
    json["xRobotsTag"] = signals.xRobotsTag.map { .string($0) }
    json["contentUsage"] = signals.contentUsage.map { .string($0) }
    return Context.document(json, Context.policy)
  }
}

extension Composer {
  /// One published state of what `account` says, signed by whoever says it: the artist, or the server for a default.
  package func policy(_ number: Int, of account: Account) async throws -> Document? {
    let actor = instance.actor
    let found = try await environment.database.read { tx -> (PolicyVersion, Account)? in
      guard let version = try tx.policyVersion(number, of: account.id), let server = try tx.account(uri: actor) else {
        return nil
      }
      return (version, version.policy.basis.isArtists ? account : server)
    }
    guard let (version, signer) = found else { return nil }
    let document = try await signed(
      version.document(by: account, on: instance), by: signer.id, at: version.statedAt)
    return Document(bytes: document.bytes, policy: version.policy)
  }

  /// `Accept` of a policy, by the server itself: it honours what the artist said.
  func answered(_ policy: IRI, of author: Account.ID, _ lease: JobLease) async throws -> ComposedActivity? {
    let actor = instance.actor
    let found = try await environment.database.read { tx -> (Account, Account)? in
      guard let server = try tx.account(uri: actor), let artist = try tx.account(author), !artist.isLocal else {
        return nil
      }
      return (server, artist)
    }
    guard let (server, artist) = found else { return nil }
    let id = instance.receipt(lease.id.rawValue)
    let header = Header(
      id: id, actor: server.uri, addressing: Addressing(to: [artist.uri]), published: environment.time.now())
    return try await simple(
      .accept(Accept(header: header, object: .link(policy))), id: id, by: server, about: policy, to: [artist])
  }
}
