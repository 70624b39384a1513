import Primitives

/// One picture file of ours, made from an artist's or a peer's.
package struct Rendition: Codable, Hashable, Sendable {
  package enum Purpose: String, Codable, Hashable, Sendable, CaseIterable {
    /// What other servers fetch: JPEG or PNG, at most 5,000 pixels a side and 16 MiB.
    case federated
    /// For our own pages, by the longest side.
    case large = "2048"
    case medium = "640"
    case small = "320"

    /// The longest side at most.
    package var side: Int {
      switch self {
      case .federated: Limits.federatedSide
      case .large: 2_048
      case .medium: 640
      case .small: 320
      }
    }
  }

  package var purpose: Purpose
  package var format: ImageFormat
  /// As shown: after the orientation is applied.
  package var width: Int
  package var height: Int
  package var byteCount: Int
  /// Whether the picture data are the source's own, only its metadata rewritten.
  package var isUntouched: Bool
}

/// A rendition with its bytes.
struct RenditionFile {
  var rendition: Rendition
  var bytes: [UInt8]
}

/// How the files of one picture are made. JPEG quality 90 for peers, 82 for our own pages.
struct RenditionMaker {
  let source: [UInt8]
  let header: ImageHeader
  let rights: Rights
  let untouched: Bool

  /// The federated file first, then the sides below the picture's own, largest first. `upright` is the picture
  /// with orientation baked in; `smallest` receives the last picture of the chain, for measuring.
  func make(_ upright: Picture, wasCMYK: Bool, smallest: inout Picture) throws(MediaRefusal) -> [RenditionFile] {
    do {
      let opaque = upright.isOpaque
      let base = opaque ? try upright.overWhite() : upright
      var current = try base.fitted(within: Limits.federatedSide)
      var files = [try federated(current, opaque: opaque, wasCMYK: wasCMYK)]
      let pageFormat: ImageFormat = files[0].rendition.format == .png ? .webp : .jpeg
      for purpose in [Rendition.Purpose.large, .medium, .small] where max(current.width, current.height) > purpose.side
      {
        current = try current.fitted(within: purpose.side)
        let bytes = try current.encoded(as: pageFormat, quality: 82)
        files.append(try file(purpose, pageFormat, current, bytes))
      }
      smallest = current
      return files
    } catch let failure as PictureFailure {
      throw MediaRefusal(failure)
    } catch let refusal as ImageRefusal {
      throw MediaRefusal(refusal)
    } catch {
      throw .undecodable
    }
  }

  /// One small file that every peer and app reads: always made anew, so that nothing of the source's metadata is in it.
  func portrait(_ upright: Picture, side: Int) throws(MediaRefusal) -> RenditionFile {
    do {
      let opaque = upright.isOpaque
      let base = opaque ? try upright.overWhite() : upright
      let fitted = try base.fitted(within: min(max(16, side), Limits.federatedSide))
      let format: ImageFormat = opaque && !isFlatArtwork ? .jpeg : .png
      return try file(.federated, format, fitted, try fitted.encoded(as: format, quality: 90))
    } catch let failure as PictureFailure {
      throw MediaRefusal(failure)
    } catch let refusal as ImageRefusal {
      throw MediaRefusal(refusal)
    } catch {
      throw .undecodable
    }
  }

  private func federated(_ picture: Picture, opaque: Bool, wasCMYK: Bool) throws -> RenditionFile {
    if let same = try untouchedFile(wasCMYK: wasCMYK) { return same }
    var format: ImageFormat = opaque && !isFlatArtwork ? .jpeg : .png
    var current = picture
    var quality = 90
    while true {
      let bytes = try current.encoded(as: format, quality: quality)
      if bytes.count <= Limits.federatedBytes - 65_536 { return try file(.federated, format, current, bytes) }
      if format == .png, opaque {
        format = .jpeg
      } else if format == .jpeg, quality > 80 {
        quality = 80
      } else {
        // At worst 4 bytes a pixel: below 2,000 pixels a side everything fits.
        let side = max(current.width, current.height) * 3 / 4
        guard side >= 1_024 else { throw MediaRefusal.undecodable }
        current = try current.fitted(within: side)
      }
    }
  }

  private func untouchedFile(wasCMYK: Bool) throws -> RenditionFile? {
    // Browsers disagree about CMYK, and peers about anything but these two formats.
    guard untouched, !wasCMYK, header.format == .jpeg || header.format == .png,
      max(header.width, header.height) <= Limits.federatedSide
    else { return nil }
    let bytes = try Scrub.rewrite(source, format: header.format, orientation: header.orientation, rights: rights)
    guard bytes.count <= Limits.federatedBytes else { return nil }
    let turned = header.orientation >= 5
    let rendition = Rendition(
      purpose: .federated, format: header.format, width: turned ? header.height : header.width,
      height: turned ? header.width : header.height, byteCount: bytes.count, isUntouched: true)
    return RenditionFile(rendition: rendition, bytes: bytes)
  }

  private var isFlatArtwork: Bool {
    guard header.format == .png || header.format == .gif else { return false }
    // Six bits a pixel: measured, photographs as PNG take twelve and more, drawings with flat areas one to four.
    return source.count <= Limits.flatArtworkBytes && source.count * 8 <= header.width * header.height * 6 + 65_536
  }

  /// libvips may write blocks of its own; the same allow-list goes over our files as over those of others.
  private func file(
    _ purpose: Rendition.Purpose, _ format: ImageFormat, _ picture: Picture, _ encoded: [UInt8]
  ) throws -> RenditionFile {
    let bytes = try Scrub.rewrite(encoded, format: format, rights: rights)
    let rendition = Rendition(
      purpose: purpose, format: format, width: picture.width, height: picture.height, byteCount: bytes.count,
      isUntouched: false)
    return RenditionFile(rendition: rendition, bytes: bytes)
  }
}
