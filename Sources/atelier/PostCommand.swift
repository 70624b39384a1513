import ArgumentParser
import Foundation
import Media
import Model
import Operations
import Persistence
import Policy
import Primitives
import Server
import Store

struct PostCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "post", abstract: "Post as an account of this instance.")

  @OptionGroup var options: SettingsOptions
  @Argument(help: "The name of the account.") var name: String
  @Argument(help: "What to say.") var text: String
  @Option(help: "A picture; repeat for more.") var image: [String] = []
  @Option(help: "The description of each picture, in the same order.") var alt: [String] = []

  func run() async throws {
    guard alt.count <= image.count else { throw Complaint("There are more descriptions than pictures.") }
    let url = try await options.withServices { services in
      guard let account = try await services.database.read({ try $0.account(username: name, host: nil) }) else {
        throw Complaint("There is no account \"\(name)\" on this instance.")
      }
      var pictures: [Attachment.ID] = []
      for (position, file) in image.enumerated() {
        guard let data = FileManager.default.contents(atPath: file) else { throw Complaint("\(file) can not be read.") }
        var upload = Upload(bytes: Array(data))
        upload.altText = position < alt.count ? alt[position] : ""
        let outcome: UploadOutcome
        do { outcome = try await services.media.upload(upload, by: account) } catch let failure as OperationFailure {
          throw Complaint("\(file): \(failure.sentence)")
        }
        if outcome.attachment.state == .refused {
          let reasons = outcome.decision.reasons.map(\.sentence).joined(separator: " ")
          throw Complaint(
            "\(file) was refused: \(reasons) To appeal: \(services.instance.appeal(outcome.attachment.id))")
        }
        pictures.append(outcome.attachment.id)
      }
      let post = try await services.publish(text: text, pictures: pictures, as: account)
      if post.state == .held { printError("The post waits for a moderator because of a picture.") }
      return post.url.text
    }
    print(url)
  }
}
