import Forensics
import Model
import Persistence
import Policy
import Primitives
import Store

/// Where in a picture its texture is unusual among human pictures, place by place. For a person who looks; one place
/// is a weaker thing than the whole picture.
package struct HeatMap: Hashable, Sendable {
  package struct Tile: Hashable, Sendable {
    package let x: Int
    package let y: Int
    package let side: Int
    /// Nil where the place is flat.
    package let score: Double?

    package init(x: Int, y: Int, side: Int, score: Double?) {
      self.x = x
      self.y = y
      self.side = side
      self.score = score
    }
  }

  package let width: Int
  package let height: Int
  package let tiles: [Tile]

  package init(width: Int, height: Int, tiles: [Tile]) {
    self.width = max(1, width)
    self.height = max(1, height)
    self.tiles = tiles
  }

  /// Tiles from here on are drawn and told of: 50 in 1,000 human pictures.
  package static let unusual = 0.95

  /// In words, for those who do not see the drawing.
  package var sentence: String {
    let asked = tiles.filter { $0.score != nil }
    let found = asked.filter { ($0.score ?? 0) >= Self.unusual }
    guard !asked.isEmpty else { return "No place of the picture has enough texture to look at." }
    guard !found.isEmpty else { return "None of \(asked.count) places is unusual by itself." }
    let places = Dictionary(grouping: found, by: place)
      .sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.prefix(3).map(\.key)
    return "\(found.count) of \(asked.count) places are unusual, most of them \(places.joined(separator: ", "))."
  }

  private func place(of tile: Tile) -> String {
    func third(_ start: Int, _ length: Int) -> Int { min(2, max(0, (start + tile.side / 2) * 3 / length)) }
    let rows = ["at the top", "in the middle", "at the bottom"]
    let columns = ["left", "", "right"]
    let (row, column) = (third(tile.y, height), third(tile.x, width))
    return columns[column].isEmpty ? rows[row] : "\(rows[row]) \(columns[column])"
  }
}

/// What the pages call for a moderator who asks where.
package typealias HeatDrawing = @Sendable (Attachment) async throws -> HeatMap?

extension MediaPipeline {
  /// Looks again, at the copy that is kept here. Seconds for a large picture, so it is done when a moderator asks.
  /// Nil for a picture without a file, or too small.
  package func heat(of attachment: Attachment) async throws -> HeatMap? {
    let files = try await database.read { try $0.renditions(of: [attachment.id])[attachment.id] ?? [] }
    // The upright one, so that what is drawn lies where people see it.
    guard let file = files.first(where: { $0.kind == .federated }), let blob = BlobDigest(file.digest.rawValue),
      let bytes = try blobs.get(blob)
    else { return nil }
    var options = MediaOptions.look
    options.drawsHeat = true
    guard let heat = try await workers.process(bytes, options).report.heat else { return nil }
    let corners = heat.rows.flatMap { y in heat.columns.map { x in (x, y) } }
    return HeatMap(
      width: heat.width, height: heat.height,
      tiles: zip(corners, heat.scores).map { HeatMap.Tile(x: $0.0, y: $0.1, side: heat.tile, score: $1) })
  }
}
