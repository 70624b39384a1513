import AsyncHTTPClient
import NIOCore
import Synchronization

/// Keeps one client, with its idle connections, for each vetted pair of host and address.
///
/// AsyncHTTPClient resolves names itself unless its `dnsOverride` names the host, and that map belongs to a client:
/// hence a client a pair. Bounded, least recently used first, and never one that is in use.
final class PeerPool: Sendable {
  struct Key: Hashable, Sendable {
    let scheme: String
    let host: String
    let endpoint: Endpoint
  }

  final class Peer: Sendable {
    let client: HTTPClient
    let key: Key
    fileprivate let answers = Atomic(0)

    fileprivate init(client: HTTPClient, key: Key) {
      self.client = client
      self.key = key
    }

    /// Whether a connection may be an old one, which the peer may have closed unnoticed.
    var mayReuse: Bool { answers.load(ordering: .relaxed) > 0 }
    func noteAnswer() { answers.add(1, ordering: .relaxed) }
  }

  private struct Entry {
    let peer: Peer
    var users = 0
    var lastUse: UInt64 = 0
  }

  private struct State {
    var tick: UInt64 = 0
    var entries: [Key: Entry] = [:]
    /// Discarded while somebody still uses them.
    var retired: [ObjectIdentifier: Entry] = [:]
    var isClosed = false
  }

  private let capacity: Int
  private let make: @Sendable (Key) -> HTTPClient
  private let state = Mutex(State())

  init(capacity: Int, make: @escaping @Sendable (Key) -> HTTPClient) {
    self.capacity = max(1, capacity)
    self.make = make
  }

  var count: Int { state.withLock { $0.entries.count } }

  func contains(_ key: Key) -> Bool { state.withLock { $0.entries[key] != nil } }

  /// Nil after `close`.
  func take(_ key: Key) -> Peer? {
    let (peer, evicted) = state.withLock { state -> (Peer?, [Peer]) in
      if state.isClosed { return (nil, []) }
      state.tick &+= 1
      var entry = state.entries[key] ?? Entry(peer: Peer(client: make(key), key: key))
      entry.users += 1
      entry.lastUse = state.tick
      state.entries[key] = entry
      var evicted: [Peer] = []
      while state.entries.count > capacity,
        let oldest = state.entries.filter({ $0.value.users == 0 }).min(by: { $0.value.lastUse < $1.value.lastUse })
      {
        state.entries[oldest.key] = nil
        evicted.append(oldest.value.peer)
      }
      return (entry.peer, evicted)
    }
    evicted.forEach(PeerPool.shutDown)
    return peer
  }

  func giveBack(_ peer: Peer) {
    let finished = state.withLock { state -> Peer? in
      if state.entries[peer.key]?.peer === peer {
        state.entries[peer.key]?.users -= 1
        return nil
      }
      guard var entry = state.retired[ObjectIdentifier(peer)] else { return nil }
      entry.users -= 1
      state.retired[ObjectIdentifier(peer)] = entry.users == 0 ? nil : entry
      return entry.users == 0 ? peer : nil
    }
    if let finished { PeerPool.shutDown(finished) }
  }

  /// Makes the next `take` of this pair open a new connection. The caller still gives `peer` back.
  func retire(_ peer: Peer) {
    state.withLock { state in
      guard let entry = state.entries[peer.key], entry.peer === peer else { return }
      state.entries[peer.key] = nil
      state.retired[ObjectIdentifier(peer)] = entry
    }
  }

  /// Closes every connection. Exchanges under way fail.
  func close() async {
    let peers = state.withLock { state in
      state.isClosed = true
      defer {
        state.entries = [:]
        state.retired = [:]
      }
      return (Array(state.entries.values) + Array(state.retired.values)).map(\.peer)
    }
    let endings = peers.map { $0.client.shutdown() }
    for ending in endings { _ = await ending.result() }
  }

  private static func shutDown(_ peer: Peer) { _ = peer.client.shutdown() }
}

extension EventLoopFuture<Void> {
  /// A client that was already told to stop is as good as stopped.
  fileprivate func result() async -> Bool {
    do {
      try await get()
      return true
    } catch {
      return false
    }
  }
}
