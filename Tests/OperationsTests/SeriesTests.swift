import Foundation
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Testing

@Suite struct `A series` {
  private func make(
    _ house: House, _ owner: Account, _ title: String = "Harbour", policy: UsagePolicy.Preset? = nil
  ) async throws -> Series {
    try await house.write { tx, context in
      let policy = policy.map { UsagePolicy($0, basis: .explicit) }
      return try tx.createSeries(SeriesDraft(title: title, usagePolicy: policy), by: owner, in: context)
    }
  }

  private func works(_ house: House, in series: Series, seenBy viewer: Account.ID? = nil) async throws -> [String] {
    try await house.read { try $0.posts(in: series.id, visibleTo: viewer, limit: 50).map(\.text) }
  }

  private func policy(_ house: House, _ id: Post.ID) async throws -> UsagePolicy? {
    let instance = house.instance
    return try await house.read { tx in
      guard let post = try tx.post(id), let author = try tx.account(post.authorID) else { return nil }
      return effectivePolicy(of: author, post: post, on: instance)
    }
  }

  @Test func `keeps its works in the order they came, until its artist orders them`() async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    let series = try await make(house, mika)
    var ids: [Post.ID] = []
    for text in ["one", "two", "three", "four"] {
      ids.append(try await house.publish(text, by: mika) { $0.seriesID = series.id }.id)
    }
    #expect(try await works(house, in: series) == ["one", "two", "three", "four"])
    let wanted = [ids[3], ids[1]]
    try await house.write { tx, _ in try tx.orderSeries(series.id, as: wanted, by: mika) }
    #expect(try await works(house, in: series) == ["four", "two", "one", "three"])
    let third = ids[1]
    let beside = try await house.read { tx in
      try tx.post(third).flatMap { try tx.neighbours(of: $0, visibleTo: nil) }
    }
    #expect(beside?.previous?.text == "four" && beside?.next?.text == "one")
    // What somebody may not see is not in it for them, and is no neighbour.
    let secret = try await house.publish("secret", by: mika) {
      $0.seriesID = series.id
      $0.visibility = .followers
    }
    let order = [secret.id] + ids
    try await house.write { tx, _ in try tx.orderSeries(series.id, as: order, by: mika) }
    #expect(try await works(house, in: series).first == "one")
    #expect(try await works(house, in: series, seenBy: mika.id).first == "secret")
    let twice = [ids[0], ids[0]]
    await #expect(throws: OperationFailure.self) {
      try await house.write { tx, _ in try tx.orderSeries(series.id, as: twice, by: mika) }
    }
  }

  @Test func `is deleted without its works, and is nobody's but its artist's`() async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    let nora = try await house.artist("nora")
    let series = try await make(house, mika, policy: .researchOnly)
    let post = try await house.publish("one", by: mika) { $0.seriesID = series.id }
    let other = try await house.publish("hers", by: nora)
    for act in [
      { (tx: any WriteTransaction, context: OperationContext) in
        _ = try tx.changeSeries(series.id, to: SeriesDraft(title: "Mine"), by: nora, in: context)
      },
      { tx, context in try tx.deleteSeries(series.id, by: nora, in: context) },
      { tx, context in try tx.move(other, to: series.id, by: nora, in: context) },
      { tx, context in try tx.move(post, to: nil, by: nora, in: context) },
      { tx, context in try tx.move(other, to: series.id, by: mika, in: context) },
      { tx, context in try tx.orderSeries(series.id, as: [post.id], by: nora) },
    ] as [@Sendable (any WriteTransaction, OperationContext) throws -> Void] {
      await #expect(throws: OperationFailure.notFound) { try await house.write(act) }
    }
    #expect(try await works(house, in: series) == ["one"])
    try await house.write { tx, context in try tx.deleteSeries(series.id, by: mika, in: context) }
    let left = try await house.read { try $0.post(post.id) }
    #expect(left != nil && left?.seriesID == nil && left?.seriesPolicy == nil)
    #expect(try await policy(house, post.id)?.preset == .noAI)
  }

  @Test(arguments: ["", "  \n ", String(repeating: "x", count: 121)])
  func `needs a title that fits`(title: String) async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    await #expect(throws: OperationFailure.self) { _ = try await make(house, mika, title) }
  }

  @Test func `speaks for the works in it that are silent, and not for the others`() async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    try await house.write { tx, context in
      _ = try tx.changeUsagePolicy(of: mika, to: UsagePolicy(.open, basis: .accountDefault), in: context)
    }
    let series = try await make(house, mika, policy: .noAI)
    let silent = try await house.publish("silent", by: mika) { $0.seriesID = series.id }
    let spoken = try await house.publish("spoken", by: mika) {
      $0.seriesID = series.id
      $0.usagePolicy = UsagePolicy(.noGenAI, basis: .explicit)
    }
    let outside = try await house.publish("outside", by: mika)
    #expect(try await policy(house, silent.id)?.preset == .noAI)
    #expect(try await policy(house, spoken.id)?.preset == .noGenAI)
    #expect(try await policy(house, outside.id)?.preset == .open)
    try await house.write { tx, context in try tx.move(outside, to: series.id, by: mika, in: context) }
    #expect(try await policy(house, outside.id)?.preset == .noAI)
    try await house.write { tx, context in try tx.move(outside, to: nil, by: mika, in: context) }
    #expect(try await policy(house, outside.id)?.preset == .open)
  }

  @Test func `tells of each work that says something new, once however often it changes its mind`() async throws {
    let house = try await House()
    let mika = try await house.artist("mika")
    let series = try await make(house, mika)
    let silent = try await house.publish("silent", by: mika) { $0.seriesID = series.id }
    let spoken = try await house.publish("spoken", by: mika) {
      $0.seriesID = series.id
      $0.usagePolicy = UsagePolicy(.noGenAI, basis: .explicit)
    }
    func updates(of post: Post) async throws -> Int {
      try await house.read { tx in
        try tx.rows("SELECT payload FROM jobs WHERE lane = 'federation'").count {
          let payload = Data(try $0.string("payload").utf8)
          return try JSONDecoder().decode(Job.self, from: payload) == .federate(.updated(post.id))
        }
      }
    }
    house.pass(.seconds(60))
    try await house.write { tx, context in
      let renamed = SeriesDraft(title: "Harbour, renamed", description: "Twelve mornings")
      _ = try tx.changeSeries(series.id, to: renamed, by: mika, in: context)
    }
    #expect(try await updates(of: silent) == 0)
    for preset in [UsagePolicy.Preset.researchOnly, .open, .noGenAI] {
      house.pass(.seconds(60))
      try await house.write { tx, context in
        let draft = SeriesDraft(title: "Harbour", usagePolicy: UsagePolicy(preset, basis: .explicit))
        _ = try tx.changeSeries(series.id, to: draft, by: mika, in: context)
      }
    }
    #expect(try await updates(of: silent) == 1)
    #expect(try await updates(of: spoken) == 0)
    let after = try await house.read { try $0.post(silent.id) }
    #expect(after?.changedAt == house.now && after?.editedAt == nil)
    // One that is being composed has read the old words: a later change is told after it.
    let now = house.now
    _ = try await house.database.write { tx in
      try tx.leaseJobs(in: .federation, at: now, until: now.adding(.seconds(60)), limit: 100)
    }
    _ = try await house.database.write { try $0.execute("UPDATE jobs SET leased_until = \(now.adding(.seconds(60)))") }
    try await house.write { tx, context in
      _ = try tx.changeSeries(series.id, to: SeriesDraft(title: "Harbour"), by: mika, in: context)
    }
    #expect(try await updates(of: silent) == 2)
  }
}
