import Primitives

/// Why there is no report. `code` is stable, `text` is one sentence for the person who sent the picture.
package struct MediaRefusal: Error, Codable, Hashable, Sendable {
  package var code: String
  package var text: String

  package init(code: String, text: String) {
    self.code = code
    self.text = text
  }

  package static let undecodable = MediaRefusal(
    code: "image.undecodable", text: "The picture's data are damaged and cannot be decoded.")
  package static let fileTooLarge = MediaRefusal(
    code: "image.file_too_large", text: "The file is larger than \(Limits.upload >> 20) MiB.")
  package static let notInstalled = MediaRefusal(
    code: "imaging.not_installed",
    text: "This server cannot read pictures: libvips is not installed (\(ImagingLibrary.installLine)).")
  package static let crashed = MediaRefusal(
    code: "worker.crashed", text: "Reading the picture ended its worker process. The picture was not used.")
  package static let timeout = MediaRefusal(
    code: "worker.timeout", text: "Reading the picture took too long and was stopped.")
  package static let busy = MediaRefusal(
    code: "worker.busy", text: "Too many pictures are waiting to be read. Try again in a moment.")

  package static func mislabelled(declared: String, found: ImageFormat) -> MediaRefusal {
    MediaRefusal(
      code: "image.mislabelled", text: "The file is announced as \(declared.prefix(40)) but holds \(found.name) data.")
  }

  /// Whether another attempt at the same bytes may end differently.
  package var isTransient: Bool { ["worker.busy", "worker.timeout", "imaging.not_installed"].contains(code) }

  package init(_ refusal: ImageRefusal) {
    code = refusal.code
    switch refusal {
    case .unrecognized: text = "The file is not a picture in a format we know."
    case .unsupported(let format): text = "\(format.name) files are not accepted; send JPEG, PNG, WebP or GIF."
    case .truncated: text = "The file ends before the picture does. It was probably cut off on its way."
    case .malformed: text = "The file's structure is damaged."
    case .tooManyPixels: text = "The picture has more than \(Limits.imagePixels / 1_000_000) million pixels."
    case .sideTooLong: text = "One side of the picture is longer than \(Limits.imageSide) pixels."
    case .animated: text = "Animations are not accepted: one frame would not say what the others show."
    case .tooCostly: text = "The file is built so that decoding it takes unreasonable effort."
    }
  }

  init(_ failure: PictureFailure) {
    switch failure {
    case .notInstalled: self = .notInstalled
    case .tooLarge: self.init(ImageRefusal.tooManyPixels)
    case .failed: self = .undecodable
    }
  }
}
