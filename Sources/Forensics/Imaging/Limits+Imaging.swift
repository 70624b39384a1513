import Primitives

extension Limits {
  /// An ICC profile that is kept in our renditions. Measured display profiles are below 10 KB, scanner ones below
  /// 600 KB; above this the picture is read as sRGB.
  package static let keptProfile = 1 << 20
  /// Pixelfed and older Mastodons drop larger media.
  package static let federatedBytes = 16 << 20
  /// Above this no full-size pixels go to the evidence layer: its marks are made by generators, which do not make
  /// pictures that large, and each pixel costs four bytes more.
  package static let evidencePixels = 32_000_000
  /// Sides of the renditions for our own pages, largest first.
  package static let pageSides = [2_048, 640, 320]
  /// One field of the rights block.
  package static let rightsField = 4_096
  /// A PNG this small is line art or a flat drawing, which JPEG would smear.
  package static let flatArtworkBytes = 2 << 20
}
