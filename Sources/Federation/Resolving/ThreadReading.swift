import ActivityStreams
import Logging
import Model
import Operations
import Persistence
import Primitives
import Store

extension PostResolver {
  /// `Job.readThread`: what was said above and below a post and was not sent here, from the lists its server and that
  /// of the first post keep. Each post is believed only at its own origin; the lists give nothing but addresses.
  package func run(readingThreadOf id: Post.ID, lease: JobLease) async throws {
    let sources = try await environment.database.read { try ThreadSource.sources(of: id, $0) }
    if !environment.instance.isTrial, !sources.isEmpty {
      let budget = FetchBudget(Limits.threadFetches)
      if let missing = sources.last?.missingParent, let failure = await climb(from: missing, budget: budget) {
        environment.log.debug("a thread could not be climbed", metadata: ["reason": "\(failure.code)"])
      }
      let origins = sources.map(\.uri)
      var found: [IRI] = []
      for list in ThreadSource.lists(of: sources) {
        // A list that lies elsewhere than the posts it is of could send us to anybody.
        guard origins.contains(where: { $0.hasSameOrigin(as: list) }) else { continue }
        found += await items(of: list, budget: budget)
      }
      try await add(found, budget: budget)
    }
    try await environment.database.write { try $0.finish(lease) }
  }

  /// The addresses in a list, page after page of its own origin.
  private func items(of list: IRI, budget: FetchBudget) async -> [IRI] {
    var items: [IRI] = []
    var next: Reference<Node>? = .link(list)
    for _ in 0..<Limits.threadPages {
      guard let current = next else { break }
      do {
        let node: Node
        switch current {
        case .embedded(let embedded): node = embedded
        case .link(let address):
          guard address.hasSameOrigin(as: list) else { return items }
          node = try await fetch.document(address, budget: budget).document.node
        }
        let page = try ObjectCollection(reading: node)
        items += page.itemIRIs
        next = page.first ?? page.next.map { .link($0) }
      } catch {
        environment.log.debug("a conversation's list could not be read", metadata: ["reason": "\(error)"])
        break
      }
    }
    return items
  }

  /// Stores those of `addresses` that answer a post that is here, parents before children. A list may name whatever it
  /// likes; what belongs to no conversation known here is not kept.
  private func add(_ addresses: [IRI], budget: FetchBudget) async throws {
    var seen: Set<IRI> = []
    var waiting: [PreparedNote] = []
    for address in addresses
    where seen.insert(address).inserted && !address.hasSameOrigin(as: environment.instance.base) {
      guard waiting.count < Limits.threadPosts else { break }
      do {
        guard try await stored(address) == nil else { continue }
        let prepared = try await prepare(address, budget: budget)
        if prepared.read.note.inReplyTo != nil { waiting.append(prepared) }
      } catch ResolveFailure.fetch(.budget) {
        break
      } catch {
        continue
      }
    }
    var hasMoved = true
    while hasMoved {
      hasMoved = false
      var rest: [PreparedNote] = []
      for prepared in waiting {
        guard let parent = prepared.read.note.inReplyTo, try await stored(parent) != nil else {
          rest.append(prepared)
          continue
        }
        do {
          _ = try await store(prepared, queuesParent: false)
          hasMoved = true
        } catch {
          environment.log.debug("a reply was not taken", metadata: ["reason": "\(error.code)"])
        }
      }
      waiting = rest
    }
  }
}

/// A post of another server in whose document the lists of its conversation are named.
private struct ThreadSource: Sendable {
  let uri: IRI
  let missingParent: IRI?
  let replies: IRI?
  let context: IRI?

  /// The post itself, and the topmost that is known above it.
  static func sources(of id: Post.ID, _ tx: any ReadTransaction) throws -> [ThreadSource] {
    guard let post = try tx.post(id), post.visibility.isOpen else { return [] }
    let top = try tx.ancestors(of: id, visibleTo: nil).first
    return try [post, top].compactMap { $0 }.filter { !$0.isLocal }.map { post in
      var note: Note?
      if let bytes = try tx.document(of: post.id) { note = ThreadSource.note(bytes) }
      return ThreadSource(
        uri: post.uri, missingParent: post.inReplyToID == nil ? post.inReplyToURI : nil, replies: note?.replies,
        context: post.contextURI)
    }
  }

  /// What was stored was readable once; what is not any more names no lists.
  private static func note(_ bytes: [UInt8]) -> Note? {
    do { return try Note(reading: Document(parsing: bytes).node) } catch { return nil }
  }

  static func lists(of sources: [ThreadSource]) -> [IRI] {
    var seen: Set<IRI> = []
    return sources.flatMap { [$0.replies, $0.context] }.compactMap { $0 }.filter { seen.insert($0).inserted }
  }
}
