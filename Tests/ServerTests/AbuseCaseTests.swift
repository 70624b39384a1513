import Foundation
import TestSupport
import Testing

/// The catalogue of threats, as far as the routes of this server go. Adding a case is adding a file.
@Suite struct AbuseCaseTests {
  @Test(arguments: AbuseCase.all(.inbox))
  func `bad input to an inbox is refused and changes nothing`(abuse: AbuseCase) async throws {
    try await attempt(abuse)
  }

  @Test(arguments: AbuseCase.all(.fetch))
  func `a bad document of another server is not believed`(abuse: AbuseCase) async throws {
    try await attempt(abuse)
  }

  @Test(arguments: AbuseCase.all(.dial))
  func `a bad address is not dialled`(abuse: AbuseCase) async throws {
    try await attempt(abuse)
  }

  @Test(arguments: AbuseCase.all(.picture))
  func `a bad picture costs nobody anything`(abuse: AbuseCase) async throws {
    try await attempt(abuse)
  }

  @Test(arguments: AbuseCase.all(.wire))
  func `bytes that are no good request cost one answer`(abuse: AbuseCase) async throws {
    try await attempt(abuse)
  }

  /// A case that takes a clock, a restart or a second process is a test of its own; its file says which.
  @Test(arguments: AbuseCase.all(.test))
  func `a case that is shown elsewhere names tests that are there`(abuse: AbuseCase) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let files = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
    let sources = files.filter { $0.hasSuffix(".swift") }.compactMap {
      FileManager.default.contents(atPath: root.appendingPathComponent($0).path).map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    for name in abuse.shownBy {
      #expect(sources.contains { $0.contains("func `\(name)`") }, "\(abuse.id): no test is called \(name)")
    }
  }

  @Test(arguments: AbuseCase.all(.door))
  func `bad manners at the door open nothing`(abuse: AbuseCase) async throws {
    let world = try await DoorWorld(abuse.settings)
    for (number, attempt) in abuse.attempts.enumerated() { try await world.run(attempt, of: abuse, number: number) }
    try await world.close()
  }

  private func attempt(_ abuse: AbuseCase) async throws {
    try await AbuseWorld.with(known: abuse.known, settings: abuse.settings) { world in
      for (number, attempt) in abuse.attempts.enumerated() {
        try await world.run(attempt, of: abuse, number: number)
      }
    }
  }

  @Test func `every case of groups A to D, F to H, J and M to O runs or says what it waits for`() {
    let run = AbuseCase.all.map(\.id)
    let waiting = AbuseCase.waiting
    #expect(Set(run).isDisjoint(with: waiting.keys))
    #expect(run.count == Set(run).count)
    #expect((run + waiting.keys).sorted() == AbuseCaseTests.catalogue)
    #expect(waiting.values.allSatisfy { !$0.isEmpty })
  }

  private static let catalogue: [String] =
    numbers("A", [1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 15, 16, 18, 19, 21, 22, 23, 24, 25, 26])
    + numbers("B", [28, 30, 31, 33, 34, 35, 36, 38, 39, 40, 41, 42, 44, 45, 46])
    + numbers("C", [47, 48, 49, 50, 51, 53, 54, 55, 57, 59, 60, 61, 62, 64])
    + numbers("D", [66, 67, 68, 70, 71, 72, 74, 75, 76, 79, 80, 81, 82, 83, 84, 86, 87, 88, 89, 90, 92])
    + numbers("F", [118, 120, 121, 122, 125, 126, 127, 129, 130, 131, 132, 133, 134, 135, 136, 137, 139, 140])
    + numbers("G", [142, 143, 144, 145, 146, 148, 149, 150, 151, 153, 155, 156, 158, 159, 160, 162, 163, 164, 165])
    + numbers("H", [166, 167, 169, 170, 171, 173, 174, 176, 177, 178, 180, 181])
    + numbers(
      "J", [204, 205, 206, 207, 208, 209, 210, 211, 213, 214, 215, 216, 219, 220, 221, 223, 224, 226, 227, 228])
    + numbers("M", [267, 268, 269, 271, 272, 273, 274, 275, 276, 277, 279, 280, 283, 284, 286, 287, 288, 289])
    + numbers("N", [291, 292, 295, 296, 297, 299, 300, 301, 302, 304, 305, 306, 307, 308])
    + numbers("O", [309, 310, 313, 314, 315, 316, 317, 320, 321, 322, 323, 324, 325, 326])

  private static func numbers(_ group: String, _ numbers: [Int]) -> [String] {
    numbers.map { number in group + String(repeating: "0", count: 3 - String(number).count) + String(number) }
  }
}
