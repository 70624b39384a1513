import Model
import Operations
import Persistence
import Primitives
import Store

extension Services {
  /// Posts for the command line, as the client API does for apps.
  package func publish(text: String, pictures: [Attachment.ID], as account: Account) async throws -> Post {
    let instance = instance
    let context = context
    return try await database.write { tx in
      var draft = try tx.draft(of: text, on: instance)
      draft.attachments = pictures
      return try tx.publish(draft, by: account, in: context)
    }
  }
}
