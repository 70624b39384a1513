import Model
import Operations
import Persistence
import Primitives
import Signatures
import Store
import Testing

@testable import Federation

@Suite struct `Follower synchronisation` {
  private func iri(_ text: String) throws -> IRI { try #require(IRI(text)) }

  @Test func `D17 the digest of the published example`() throws {
    let one = try iri("https://testing.example.org/users/1")
    let two = try iri("https://testing.example.org/users/2")
    let published = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"
    #expect(FollowerDigest(of: [one, two]).text == published)
    #expect(FollowerDigest(of: [two, one]) == FollowerDigest(published))
    #expect(FollowerDigest(of: [one, two, two]) == FollowerDigest(of: [one]))
    #expect(FollowerDigest().text == String(repeating: "0", count: 64))
  }

  @Test func `D17 the field is read in any order, and not when it is broken`() throws {
    let digest = String(repeating: "ab", count: 32)
    let text = "url=\"https://a.test/s\" ,digest=\"\(digest)\",collectionId=\"https://a.test/f\", x=\"1\""
    let read = try #require(CollectionSynchronization(text))
    #expect(read.url.text == "https://a.test/s" && read.collection.text == "https://a.test/f")
    #expect(CollectionSynchronization(read.text) == read)
    for broken in [
      "", "url", "url=https://a.test/s", "url=\"https://a.test/s\"", text + ",", text + ", url=\"https://b.test/\"",
      text.replacing("ab\"", with: "a\""), text.replacing("https://a.test/f", with: "f"),
      String(repeating: "x=\"\",", count: 3_000),
    ] { #expect(CollectionSynchronization(broken) == nil, "\(broken.prefix(80))") }
  }

  /// bob, whom mika follows here, with his server's list of who of ours follows him.
  private func world(
    listing: [String]
  ) async throws -> (ReceivingWorld, ReceivingPerson, CollectionSynchronization) {
    let world = try await ReceivingWorld()
    let bob = try await world.neighbour("bob", at: "victim.test", follows: false)
    try await world.mikaFollows(bob)
    let url = try iri("https://victim.test/users/bob/sync")
    let items = try listing.map { try iri($0) }
    world.peers.put(
      url.text, .init(body: String(decoding: ActivityDocuments.list(url, of: items), as: UTF8.self)))
    let field = CollectionSynchronization(
      collection: try iri("\(bob.uri.text)/followers"), url: url, digest: FollowerDigest(of: items))
    return (world, bob, field)
  }

  private func note(_ number: Int, by bob: ReceivingPerson) -> JSON {
    bob.activity("Create", "\(number)", object: bob.note("\(number)"), to: [ReceivingWorld.everybody])
  }

  private func follows(_ world: ReceivingWorld) async throws -> Bool {
    try await world.database.read { [mika = world.mika.id] tx in try !tx.follows(by: mika).isEmpty }
  }

  @Test func `D17 a follow that the other server does not have ends`() async throws {
    let (world, bob, field) = try await world(listing: [])
    #expect(
      try await world.send(note(1, by: bob), by: bob, field: ("collection-synchronization", field.text)).code
        == "stored")
    try await world.work()
    #expect(world.peers.asked.contains(field.url.text))
    #expect(try await !follows(world))
    await world.close()
  }

  @Test func `D17 a follow that only the other server has is taken back`() async throws {
    let (world, bob, field) = try await world(listing: ["https://our.example/users/mika"])
    let mika = world.mika.id
    try await world.database.write { tx in for follow in try tx.follows(by: mika) { try tx.delete(follow) } }
    _ = try await world.send(note(1, by: bob), by: bob, field: ("collection-synchronization", field.text))
    try await world.work()
    try await world.federate()
    let undo = try JSON(parsing: try #require(try await world.waiting().first).body)
    #expect(undo["type"]?.string == "Undo" && undo["object"]?["type"]?.string == "Follow")
    #expect(undo["object"]?["object"]?.string == bob.uri.text)
    await world.close()
  }

  @Test func `D17 agreement asks nobody, and an hour lies between two looks`() async throws {
    let (world, bob, field) = try await world(listing: ["https://our.example/users/mika"])
    _ = try await world.send(note(1, by: bob), by: bob, field: ("collection-synchronization", field.text))
    try await world.work()
    #expect(!world.peers.asked.contains(field.url.text))
    var wrong = field
    wrong.digest = FollowerDigest()
    for number in 2..<12 {
      _ = try await world.send(note(number, by: bob), by: bob, field: ("collection-synchronization", wrong.text))
      try await world.work()
    }
    // The list says otherwise than the field did: nobody is removed for that.
    #expect(world.peers.asked.filter { $0 == field.url.text }.count == 1)
    #expect(try await follows(world))
    world.clock.advance(.seconds(3_700))
    _ = try await world.send(note(20, by: bob), by: bob, field: ("collection-synchronization", wrong.text))
    try await world.work()
    #expect(world.peers.asked.filter { $0 == field.url.text }.count == 2)
    await world.close()
  }

  @Test func `D17 what is not signed, not theirs or not at their server is passed over`() async throws {
    let (world, bob, field) = try await world(listing: [])
    _ = try await world.send(
      note(1, by: bob), by: bob, field: ("collection-synchronization", field.text), isSigned: false)
    var foreign = field
    foreign.url = try iri("https://evil.test/sync")
    _ = try await world.send(note(2, by: bob), by: bob, field: ("collection-synchronization", foreign.text))
    var another = field
    another.collection = try iri("https://victim.test/users/carol/followers")
    _ = try await world.send(note(3, by: bob), by: bob, field: ("collection-synchronization", another.text))
    try await world.work()
    #expect(!world.peers.asked.contains { $0.hasSuffix("/sync") })
    #expect(try await follows(world))
    await world.close()
  }

  @Test func `D17 a list without end is left`() async throws {
    let (world, bob, field) = try await world(listing: [])
    for page in 0..<40 {
      let id = page == 0 ? field.url.text : "\(field.url.text)?page=\(page)"
      let json: JSON = [
        "@context": "https://www.w3.org/ns/activitystreams", "id": .string(id), "type": "OrderedCollectionPage",
        "next": .string("\(field.url.text)?page=\(page + 1)"), "orderedItems": [],
      ]
      world.peers.put(id, json)
    }
    _ = try await world.send(note(1, by: bob), by: bob, field: ("collection-synchronization", field.text))
    try await world.work()
    #expect(world.peers.asked.filter { $0.hasPrefix(field.url.text) }.count == Limits.collectionPages)
    #expect(try await follows(world))
    await world.close()
  }
}
