import ArgumentParser
import Forensics
import Foundation
import Primitives
import Server

/// `atelier detector add-onnx`: a model that somebody else trained, for the workers of this instance.
struct DetectorAddOnnx: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-onnx",
    abstract: "Add an image classifier in ONNX form; it runs here, and no picture leaves the instance.",
    discussion: """
      It must take one square RGB picture of floats. How the picture is laid before it stands in what the model came \
      with; weights come under their own licence. Until `atelier detector calibrate --detector onnx.NAME` it is not \
      asked. onnxruntime must be installed, or named by detector.onnx.runtime.
      """)

  @OptionGroup var options: DetectorOptions
  @Argument(help: "The model's file.") var file: String
  @Option(help: "a-z, 0-9 and -, at most 40.") var name: String
  @Option(help: "The side of the square it sees, in pixels.") var side: Int
  @Option(help: "nchw: colours first; nhwc: colours last.") var layout = OutsideModel.Layout.channelsFirst
  @Option(help: "crop: native pixels from the middle; resize: the whole picture.") var fit = OutsideModel.Fit.crop
  @Option(help: "Taken away from samples of 0 to 1: red,green,blue.") var mean = "0,0,0"
  @Option(help: "Then divided by: red,green,blue.") var deviation = "1,1,1"
  @Option(help: "Which output speaks for generation, counted from 0.") var generated = 0

  func run() throws {
    do {
      let bytes = try OnnxShelf.bytes(file, atMost: Limits.outsideModel)
      let model = try OnnxShelf(folder: try options.shelf().folder).add(bytes) { digest in
        try OutsideModel(
          name: name, digest: digest, side: side, layout: layout, fit: fit, mean: numbers(mean),
          deviation: numbers(deviation), generated: generated)
      }
      print("onnx.\(model.name) was added, pinned to SHA-256 \(model.digest).")
      print("It is asked after: atelier detector calibrate --detector onnx.\(model.name) --human DIR")
    } catch let failure as OutsideModelFailure {
      throw Complaint("\(failure)")
    }
  }

  private func numbers(_ text: String) -> [Float] {
    text.split(separator: ",", omittingEmptySubsequences: false)
      .compactMap { Float($0.trimmingCharacters(in: .whitespaces)) }
  }
}

extension OutsideModel.Layout: ExpressibleByArgument {}
extension OutsideModel.Fit: ExpressibleByArgument {}
