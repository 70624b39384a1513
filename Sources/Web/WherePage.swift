import HTTPSupport
import HTTPTypes
import Hummingbird
import Media
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct WherePage {
  struct Tile {
    let x: Int
    let y: Int
    let side: Int
    let level: Int
  }
  let sentence: String
  let source: String
  let width: Int
  let height: Int
  let tiles: [Tile]
  let hasTiles: Bool
}

extension WebFace {
  /// Where the pixels of a picture are unusual, for a moderator. Drawn in the page itself: nothing is stored.
  @Sendable func whereUnusual(_ request: Request, _ context: FaceContext) async throws -> Response {
    let moderator = try context.require(role: .moderator)
    guard let id = context.parameters.get("id").flatMap({ Attachment.ID($0) }),
      let found = try await database.read({ tx -> (Attachment, [Rendition])? in
        guard let picture = try tx.attachment(id) else { return nil }
        return (picture, try tx.renditions(of: [id])[id] ?? [])
      })
    else { throw Problem.notFound }
    // Seconds of a worker each.
    try limits.heatByAccount.spend("\(moderator.account.id)")
    let map = try await heat(found.0)
    let tiles = (map?.tiles ?? []).compactMap { tile in level(of: tile).map { drawn(tile, $0) } }
    let model = WherePage(
      sentence: map?.sentence ?? "There is no copy of this picture here, or it is too small to look at.",
      source: found.1.best(.large).map { "/media/\($0.fileName)" } ?? "", width: map?.width ?? 1,
      height: map?.height ?? 1, tiles: tiles, hasTiles: map != nil && !found.1.isEmpty)
    let frame = frame("Where", context, policy: standardPolicy, isListed: false)
    return try page("where", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  private func level(of tile: HeatMap.Tile) -> Int? {
    guard let score = tile.score, score >= HeatMap.unusual else { return nil }
    return score >= 0.995 ? 3 : score >= 0.98 ? 2 : 1
  }

  /// Tiles overlap by half: the middle of each is drawn, so that no place is drawn twice.
  private func drawn(_ tile: HeatMap.Tile, _ level: Int) -> WherePage.Tile {
    let quarter = tile.side / 4
    return WherePage.Tile(x: tile.x + quarter, y: tile.y + quarter, side: max(1, quarter * 2), level: level)
  }
}
