import ActivityStreams
import Foundation
import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store
import Testing
import Transport

@testable import Federation

extension ReceivingWorld {
  /// A world that is closed whatever happens in it.
  static func with(_ body: (ReceivingWorld) async throws -> Void) async throws {
    let world = try await ReceivingWorld()
    do { try await body(world) } catch { Issue.record(error) }
    await world.close()
  }

  static let everybody = "https://www.w3.org/ns/activitystreams#Public"

  /// A remote account known here, which follows mika unless told otherwise.
  func neighbour(_ name: String, at host: String, follows: Bool = true) async throws -> ReceivingPerson {
    let person = try person(name, at: host)
    let follow = person.activity("Follow", "follow-\(name)", object: .string(mika.uri.text))
    let fate = try await deliver(follow, by: person)
    #expect(fate == "done")
    if !follows {
      let undo = person.activity("Undo", "undo-\(name)", object: follow)
      #expect(try await deliver(undo, by: person) == "done")
    }
    try await clear()
    return person
  }

  /// mika follows `person`, and was accepted long ago.
  func mikaFollows(_ person: ReceivingPerson) async throws {
    let (mika, context, clock) = (mika, environment.context, clock)
    try await database.write { tx in
      let target = try #require(try tx.account(uri: person.uri))
      let id: Model.Follow.ID = context.ids.next()
      try tx.insert(
        Model.Follow(
          id: id, followerID: mika.id, followeeID: target.id, uri: context.instance.follow(id), state: .accepted,
          createdAt: clock.now.adding(.seconds(-86_400))))
    }
  }

  func publish(_ text: String, _ visibility: Visibility = .everyone) async throws -> Post {
    var draft = PostDraft(text: text, content: "<p>\(text)</p>")
    draft.visibility = visibility
    let (made, mika, context) = (draft, mika, environment.context)
    let post = try await database.write { try $0.publish(made, by: mika, in: context) }
    try await federate()
    return post
  }

  /// Runs every waiting federation job, as the lane would.
  func federate() async throws {
    let composer = Composer(environment: environment)
    while true {
      let now = clock.now
      let leases = try await database.write {
        try $0.leaseJobs(in: .federation, at: now, until: now.adding(.seconds(60)), limit: 10)
      }
      if leases.isEmpty { return }
      for lease in leases {
        guard case .federate(let intent) = lease.job else { continue }
        try await composer.compose(intent, for: lease)
      }
    }
  }

  /// Everything that waits to be delivered, oldest first.
  func waiting() async throws -> [(inbox: IRI, body: [UInt8])] {
    try await database.read { tx in
      try tx.rows(
        """
        SELECT deliveries.inbox, outgoing.body FROM deliveries JOIN outgoing ON outgoing.id = deliveries.outgoing_id
        WHERE deliveries.state = 'waiting' ORDER BY deliveries.id
        """
      ).map { (try $0.iri("inbox"), try $0.bytes("body")) }
    }
  }

  /// Forgets what waits to be told others.
  func clear() async throws {
    try await federate()
    try await database.write { tx in
      _ = try tx.execute("DELETE FROM deliveries")
    }
    peers.forget()
  }

  /// A reply to `post`, addressed to everybody and to mika's followers.
  func reply(_ id: String, to post: Post, by person: ReceivingPerson, _ to: [String]? = nil) throws -> JSON {
    let all = [Self.everybody, mika.uri.text, try #require(mika.followers).text]
    let to = to ?? all
    let note = person.note("re-\(id)", to: to, ["inReplyTo": .string(post.uri.text)])
    return person.activity("Create", id, object: note, to: to)
  }

  /// As `send`, with one more field, signed or not.
  func send(
    _ activity: JSON, by person: ReceivingPerson, field: (name: String, value: String), isSigned: Bool = true
  ) async throws -> InboxAnswer {
    let body = activity.bytes
    let facts = RequestFacts(
      method: "POST", url: inbox,
      fields: HeaderFields([("Content-Type", "application/activity+json"), (field.name, field.value)]),
      body: ContentDigest(of: body))
    let fields = try person.rsa.sign(facts, at: clock.now, alsoCovering: isSigned ? [field.name] : [])
    return await federation.inbox.receive(
      InboxRequest(
        target: inbox.pathAndQuery, authorities: [inbox.host], fields: fields, body: body, remoteAddress: "45.1.1.1"))
  }
}
