import HTTPTypes
import Model
import Persistence
import Policy
import Primitives
import Store
import Testing

@testable import Web

@Suite struct WebMediaTests {
  private func path(_ picture: Model.Attachment, _ world: WebWorld) async throws -> String {
    let files = try await world.database.read { try $0.renditions(of: [picture.id])[picture.id] ?? [] }
    return "/media/\(try #require(files.first).fileName)"
  }

  @Test func `every answer for a picture carries its reservation`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let picture = try await world.picture(of: mika, bytes: Array("0123456789".utf8))
    _ = try await world.post(by: mika, pictures: [picture])
    let path = try await path(picture, world)
    let whole = try await world.answer(.get, path)
    let tag = try #require(whole.headers[.eTag])
    let range = HTTPField.Name.range
    let answers = [
      whole, try await world.answer(.head, path),
      try await world.answer(.get, path, headers: [range: "bytes=2-4"]),
      try await world.answer(.get, path, headers: [range: "bytes=-3"]),
      try await world.answer(.get, path, headers: [range: "bytes=99-"]),
      try await world.answer(.get, path, headers: [.ifNoneMatch: tag]),
      try await world.answer(.get, path, headers: [range: "bytes=2-4", .ifRange: "\"other\""]),
    ]
    #expect(answers.map(\.status) == [200, 200, 206, 206, 416, 304, 200])
    #expect(answers.map(\.text) == ["0123456789", "", "234", "789", "", "", "0123456789"])
    #expect(answers[2].header("content-range") == "bytes 2-4/10")
    for answer in answers {
      #expect(answer.header("x-robots-tag") == "noai, noimageai" && answer.header("content-usage") == "train-ai=n")
      #expect(answer.header("tdm-reservation") == "1" && answer.header("x-content-type-options") == "nosniff")
      #expect(answer.header("content-security-policy") == "default-src 'none'; sandbox")
    }
    #expect(whole.header("content-type") == "image/jpeg")
    #expect(whole.header("cache-control") == "public, max-age=3600")
    #expect(whole.header("content-disposition")?.hasPrefix("inline; filename=\"\(picture.id)-") == true)
    try await world.close()
  }

  @Test func `a work's own word goes before its artist's, and the strictest of two artists holds`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let ada = try await world.person("ada")
    let shared = Array("the same bytes".utf8)
    let open = try await world.picture(
      of: mika, bytes: shared, policy: UsagePolicy(.open, basis: .explicit))
    _ = try await world.post(by: mika, pictures: [open])
    let path = try await path(open, world)
    #expect(try await world.answer(.get, path).header("tdm-reservation") == "0")
    let closed = try await world.picture(of: ada, bytes: shared, policy: UsagePolicy(.noAI, basis: .explicit))
    _ = try await world.post(by: ada, pictures: [closed])
    #expect(try await world.answer(.get, path).header("tdm-reservation") == "1")
    try await world.close()
  }

  @Test func `a held picture is for its owner and the moderators`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    for name in ["ada", "zoe"] { _ = try await world.person(name, role: name == "ada" ? .moderator : .artist) }
    let picture = try await world.picture(of: mika, verdict: .hold)
    _ = try await world.post(by: mika, pictures: [picture])
    let path = try await path(picture, world)
    #expect(try await WebBrowser(world).get(path).status == 404)
    for (name, status) in [("mika", 200), ("ada", 200), ("zoe", 404)] {
      let browser = WebBrowser(world, address: "192.0.2.\(name.utf8.count)")
      try await browser.signIn(as: name)
      let answer = try await browser.get(path)
      #expect(answer.status == status, "\(name)")
      if status == 200 { #expect(answer.header("cache-control") == "private, no-cache") }
    }
    try await world.close()
  }

  @Test func `a picture without a post is its owner's, one for followers stays out of caches`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let loose = try await world.picture(of: mika)
    #expect(try await WebBrowser(world).get(try await path(loose, world)).status == 404)
    let close = try await world.picture(of: mika)
    _ = try await world.post(by: mika, pictures: [close], visibility: .followers)
    let answer = try await WebBrowser(world).get(try await path(close, world))
    #expect(answer.status == 200 && answer.header("cache-control")?.hasPrefix("private") == true)
    try await world.close()
  }

  @Test(arguments: [
    "/media/..%2f..%2fetc%2fpasswd", "/media/abc.jpg", "/media/", "/media/%00",
    "/media/0000000000000000000000000000000000000000000000000000000000000000.jpg", "/assets/..%2fx",
  ])
  func `no other file is served`(_ path: String) async throws {
    let world = try await WebWorld()
    #expect(try await world.answer(.get, path).status == 404)
    try await world.close()
  }

  @Test func `another ending than the stored one is another file`() async throws {
    let world = try await WebWorld()
    let mika = try await world.person("mika")
    let picture = try await world.picture(of: mika)
    _ = try await world.post(by: mika, pictures: [picture])
    let path = try await path(picture, world)
    for ending in [".html", ".svg", ".json", "", ".jpg.png"] {
      #expect(try await world.answer(.get, path.replacing(".jpg", with: ending)).status == 404)
    }
    try await world.close()
  }

  @Test(arguments: [
    ("bytes=0-0", ByteRange.part(0...0)), ("bytes=5-", .part(5...9)), ("bytes=-20", .part(0...9)),
    ("bytes=0-999999999999999999999", .whole), ("bytes=4-2", .whole), ("bytes=0-1,3-4", .whole), ("lines=0-1", .whole),
    ("bytes=10-", .unsatisfiable), ("bytes=-0", .unsatisfiable),
  ])
  func `a range is read as RFC 9110 says`(_ header: String, _ expected: ByteRange) {
    #expect(ByteRange(header, size: 10) == expected)
  }
}
