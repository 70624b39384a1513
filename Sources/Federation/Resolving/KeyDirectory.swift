import ActivityStreams
import Model
import Persistence
import Primitives
import Signatures
import Store
import Synchronization

/// A key whose owner's own document lists it.
package struct KnownKey: Hashable, Sendable {
  package let id: IRI
  package let owner: IRI
  package let key: Signatures.PublicKey
  package let fetchedAt: Timestamp
}

/// What asking for a key came to.
package enum KeyAnswer: Hashable, Sendable {
  /// `isFresh`: just fetched, so that asking again would change nothing. `all` are then the owner's keys, to be
  /// stored with what they verify.
  case found(KnownKey, isFresh: Bool, all: [RemoteKey])
  /// The key, or its owner, answers 404 or 410.
  case gone
  /// Its host did not answer; it may later.
  case unreachable
  /// Not asked: the last try from this address, or for this key, failed less than five minutes ago.
  case cooling
  /// The host of the key is blocked: nothing is fetched from it.
  case blocked
  /// An answer that proves nothing, with the reason.
  case refused(SignatureFailure)
}

/// The keys of actors elsewhere: in memory, else stored, else fetched once and proven.
///
/// A key counts only when the document of its owner, found at the owner's id, lists it: the key's own word on who owns
/// it was believed by Fedify (CVE-2026-96625), Akkoma and Forgejo.
package final class KeyDirectory: Sendable {
  private struct State {
    var keys: [IRI: KnownKey] = [:]
    var cooling: [String: Timestamp] = [:]
    var waiting: [IRI: [CheckedContinuation<KeyAnswer, Never>]] = [:]
  }

  private let environment: FederationEnvironment
  private let fetch: SignedFetch
  private let state = Mutex(State())

  package init(_ environment: FederationEnvironment, fetch: SignedFetch) {
    self.environment = environment
    self.fetch = fetch
  }

  /// The key in memory, without asking anybody.
  package func cached(_ id: IRI) -> KnownKey? {
    guard let key = state.withLock({ $0.keys[id] }), isCurrent(key) else { return nil }
    return key
  }

  /// `source` is the address that asks, for the cool-off; nil when we ask for ourselves. `refetching`: the known key
  /// did not verify, and may have been replaced.
  package func key(
    _ id: IRI, source: String?, refetching: Bool = false, budget: FetchBudget
  ) async -> KeyAnswer {
    if !refetching, let key = cached(id) { return .found(key, isFresh: false, all: []) }
    if !refetching, let answer = await stored(id) { return answer }
    let now = environment.time.now()
    let sources = ["key \(id.text)"] + (source.map { ["from \($0)"] } ?? [])
    let isCooling = state.withLock { state in sources.contains { (state.cooling[$0] ?? now) > now } }
    guard !isCooling else { return .cooling }
    let answer = await once(id) { await self.ask(id, budget: budget) }
    switch answer {
    case .found(let key, _, _):
      keep(key)
      // One refetch of a key in five minutes, whatever its signatures are worth.
      if refetching { cool(["key \(id.text)"]) }
    case .blocked, .cooling: break
    case .gone, .unreachable, .refused: cool(sources)
    }
    return answer
  }

  /// A signature by a key that was fetched for it did not verify: its sender made us ask for nothing.
  package func noteFailure(from source: String?) {
    if let source { cool(["from \(source)"]) }
  }

  /// The keys `owner` lists now. Those it listed before are forgotten: after a rotation only one verifies.
  package func replace(keysOf owner: IRI, with keys: [RemoteKey]) {
    let parsed = keys.compactMap { KeyDirectory.known($0) }
    state.withLock { state in
      for (id, key) in state.keys where key.owner == owner { state.keys[id] = nil }
      for key in parsed { state.keys[key.id] = key }
      // Every new actor's keys pass here, and whoever makes actors chooses how many there are.
      while state.keys.count > Limits.cachedKeys, let oldest = state.keys.keys.first { state.keys[oldest] = nil }
    }
  }

  private func isCurrent(_ key: KnownKey) -> Bool {
    key.fetchedAt.adding(Limits.keyLifetime) > environment.time.now()
  }

  private func keep(_ key: KnownKey) {
    state.withLock { state in
      if state.keys.count >= Limits.cachedKeys, let oldest = state.keys.keys.first { state.keys[oldest] = nil }
      state.keys[key.id] = key
    }
  }

  private func cool(_ sources: [String]) {
    let now = environment.time.now()
    let end = now.adding(Limits.keyCoolOff)
    state.withLock { state in
      if state.cooling.count >= Limits.coolingSources { state.cooling = state.cooling.filter { $0.value > now } }
      if state.cooling.count >= Limits.coolingSources { state.cooling.removeAll(keepingCapacity: true) }
      for source in sources { state.cooling[source] = end }
    }
  }

  /// From the database, with the block list, which is asked before anything is fetched.
  private func stored(_ id: IRI) async -> KeyAnswer? {
    let found: (key: RemoteKey?, isBlocked: Bool)
    do {
      found = try await environment.database.read { tx in
        (key: try tx.remoteKey(id), isBlocked: try tx.block(of: id.host) != nil)
      }
    } catch { return .unreachable }
    if found.isBlocked { return .blocked }
    guard let key = found.key.flatMap({ KeyDirectory.known($0) }), isCurrent(key) else { return nil }
    keep(key)
    return .found(key, isFresh: false, all: [])
  }

  private static func known(_ key: RemoteKey) -> KnownKey? {
    do {
      let parsed =
        key.publicKey.hasPrefix("z")
        ? try Signatures.PublicKey(multibase: key.publicKey) : try Signatures.PublicKey(pem: key.publicKey)
      return KnownKey(id: key.keyID, owner: key.owner, key: parsed, fetchedAt: key.fetchedAt)
    } catch { return nil }
  }

  /// One fetch of one key at a time: whoever comes meanwhile gets the same answer.
  private func once(_ id: IRI, _ work: @Sendable () async -> KeyAnswer) async -> KeyAnswer {
    let isFirst = state.withLock { state in
      guard state.waiting[id] == nil else { return false }
      state.waiting[id] = []
      return true
    }
    guard isFirst else {
      let answer: KeyAnswer? = await withCheckedContinuation { (continuation: CheckedContinuation<KeyAnswer, Never>) in
        let joined = state.withLock { state in
          guard state.waiting[id] != nil else { return false }
          state.waiting[id]?.append(continuation)
          return true
        }
        // Answered between the two locks.
        if !joined { continuation.resume(returning: .cooling) }
      }
      if answer == .cooling, let key = cached(id) { return .found(key, isFresh: true, all: []) }
      return answer ?? .cooling
    }
    let answer = await work()
    if case .found(let key, _, _) = answer { keep(key) }
    let waiting = state.withLock { $0.waiting.removeValue(forKey: id) } ?? []
    for continuation in waiting { continuation.resume(returning: answer) }
    return answer
  }

  private func ask(_ id: IRI, budget: FetchBudget) async -> KeyAnswer {
    do {
      let page = try await fetch.document(id.withoutFragment, budget: budget)
      if let answer = answer(from: page, for: id) { return answer }
      // A bare key: its owner has to list it.
      let claimed = ActivityStreams.PublicKey.all(in: page.document.node).first { $0.id == id }
      guard let owner = claimed?.owner, Ownership.mayOwn(owner, key: id), owner != page.id else {
        return .refused(.keyUnacceptable("not listed"))
      }
      let document = try await fetch.document(owner, budget: budget)
      guard document.id == owner else { return .refused(.actorMismatch) }
      return answer(from: document, for: id) ?? .refused(.keyUnacceptable("not listed by its owner"))
    } catch {
      if error.isGone { return .gone }
      if error == .blockedHost { return .blocked }
      return error.isTransient ? .unreachable : .refused(.keyUnavailable(transient: false))
    }
  }

  /// Nil when the document is no actor.
  private func answer(from page: FetchedDocument, for id: IRI) -> KeyAnswer? {
    guard let actor = KeyDirectory.actor(page.document.node), actor.id == page.id else { return nil }
    let now = environment.time.now()
    let keys = RemoteKey.listed(by: actor, at: now)
    guard let listed = keys.first(where: { $0.keyID == id }) else {
      return .refused(.keyUnacceptable("not listed"))
    }
    guard let key = KeyDirectory.known(listed) else { return .refused(.keyUnacceptable("unreadable")) }
    return .found(key, isFresh: true, all: keys)
  }

  private static func actor(_ node: Node) -> ActivityStreams.Actor? {
    do { return try ActivityStreams.Actor(reading: node) } catch { return nil }
  }
}

extension RemoteKey {
  /// The keys an actor's own document lists as its own, on its own origin.
  static func listed(by actor: ActivityStreams.Actor, at now: Timestamp) -> [RemoteKey] {
    let rsa = actor.publicKeys.filter { $0.owner == actor.id && Ownership.mayOwn(actor.id, key: $0.id) }
      .map { RemoteKey(keyID: $0.id, owner: actor.id, publicKey: $0.pem, fetchedAt: now) }
    let multikeys = actor.assertionMethods.filter {
      $0.controller == actor.id && Ownership.mayOwn(actor.id, key: $0.id)
    }.map { RemoteKey(keyID: $0.id, owner: actor.id, publicKey: $0.publicKeyMultibase, fetchedAt: now) }
    var seen: Set<IRI> = []
    return (rsa + multikeys).filter { seen.insert($0.keyID).inserted }
  }
}
