import Primitives

/// What to do with one picture.
package struct MediaOptions: Codable, Hashable, Sendable {
  /// The type the sender announced, when a difference is to be refused. Nil looks at the bytes alone.
  package var declaredType: String?
  /// Written into every rendition.
  package var rights: Rights
  /// Whether what `rights` leaves open is taken from the file (creator, credit, copyright, terms, source type, alt).
  package var keepsSourceRights: Bool
  /// Whether the federated file keeps the source's own picture data, where peers can read them.
  package var untouched: Bool
  /// False for looking only, as `detect` does.
  package var makesRenditions: Bool
  /// Whether every place is scored by itself, for `explain`: up to seconds for a large picture.
  package var drawsHeat = false
  /// Whether a copy of the file comes along whose pixels are untouched and whose metadata are gone, for a detector
  /// that is not in this process.
  package var makesStrippedCopy: Bool
  /// For the picture of a person: one file at most this many pixels a side, JPEG or PNG, and no other.
  package var portraitSide: Int?

  package init(
    declaredType: String? = nil, rights: Rights = Rights(), keepsSourceRights: Bool = true, untouched: Bool = false,
    makesRenditions: Bool = true, makesStrippedCopy: Bool = false,
    portraitSide: Int? = nil
  ) {
    self.declaredType = declaredType
    self.rights = rights
    self.keepsSourceRights = keepsSourceRights
    self.untouched = untouched
    self.makesRenditions = makesRenditions
    self.makesStrippedCopy = makesStrippedCopy
    self.portraitSide = portraitSide
  }

  /// Looks, and makes no files.
  package static let look = MediaOptions(makesRenditions: false)
}

/// Everything learned about one picture, without its bytes.
package struct MediaReport: Codable, Hashable, Sendable {
  package var header: ImageHeader
  /// As shown: after the orientation is applied.
  package var width: Int
  package var height: Int
  /// 4 × 3 components.
  package var blurhash: String
  package var perceptualHash: PerceptualHash
  package var colours: PictureColours
  package var assessment: Assessment
  /// What the file said of its rights, for the upload page to show and ask about.
  package var sourceRights: Rights
  /// Whether the file told where it was made, or with which piece of equipment. The values are never read.
  package var hadLocation: Bool
  package var hadSerialNumber: Bool
  package var hasProfile: Bool
  /// In the order of the files that come with the report, the federated one first.
  package var renditions: [Rendition]
  /// Where it was asked for and the picture is large enough.
  package var heat: PixelHeat?
}

/// A report with its files: `files[n]` belongs to `report.renditions[n]`; the stripped copy, if one was asked for and
/// its format allows it, comes last.
package struct ProcessedMedia: Sendable {
  package var report: MediaReport
  package var files: [[UInt8]]

  package var strippedCopy: [UInt8]? { files.count == report.renditions.count + 1 ? files.last : nil }

  package func file(_ purpose: Rendition.Purpose) -> (rendition: Rendition, bytes: [UInt8])? {
    zip(report.renditions, files).first { $0.0.purpose == purpose }.map { ($0.0, $0.1) }
  }
}
