import Model
import Operations
import Persistence
import Primitives
import Store
import Testing

/// Promise R24: a restored instance says nothing until somebody has looked.
@Suite struct `Paused deliveries` {
  private func house() async throws -> DeliveringHouse {
    let house = try await DeliveringHouse()
    try await house.follow(try await house.stranger("ada", at: "http://127.0.0.2:8000"))
    try await post(house)
    return house
  }

  private func post(_ house: DeliveringHouse) async throws {
    _ = try await house.publish(PostDraft(text: "Study", content: "<p>Study</p>"))
    try await house.federate()
  }

  @Test func `nothing is taken for delivery while deliveries are paused, and all of it after`() async throws {
    let house = try await house()
    let now = house.context.now
    try await house.database.write { try $0.pauseDeliveries(DeliveryPause(reason: .asked, since: now)) }
    #expect(try await house.database.read { try $0.nextDelivery() } == nil)
    #expect(try await house.queued().isEmpty)
    try await house.database.write { _ = try $0.resumeDeliveries(abandoningBefore: nil) }
    #expect(try await house.database.read { try $0.nextDelivery() } == now)
    #expect(try await house.queued().count == 1)
  }

  @Test func `after a restore what waited in the backup is given up, and what came since is sent`() async throws {
    let house = try await house()
    house.clock.advance(.seconds(60))
    let restored = house.context.now
    try await house.database.write { try $0.pauseDeliveries(DeliveryPause(reason: .restored, since: restored)) }
    house.clock.advance(.seconds(60))
    try await post(house)
    #expect(try await house.outstanding().count == 2)
    #expect(try await house.database.read { try $0.waitingDeliveries(split: restored) } == (1, 1))
    #expect(try await house.database.write { try $0.resumeDeliveries(abandoningBefore: restored) } == 1)
    #expect(try await house.queued().count == 1)
    #expect(try await house.database.read { try $0.deliveryPause() } == nil)
  }

  @Test func `a pause that can not be read is a pause`() async throws {
    let house = try await house()
    try await house.database.write { try $0.set("federation.paused", to: "because") }
    #expect(try await house.queued().isEmpty)
    #expect(try await house.database.read { try $0.deliveryPause() }?.reason == .restored)
  }
}
