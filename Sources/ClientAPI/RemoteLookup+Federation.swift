import Federation
import Media
import Model
import Primitives

extension FederationReceiving: RemoteLookup {
  package func resolve(_ query: String) async throws -> RemoteFinding? {
    let found: Resolved?
    do {
      found = try await resolve(query: query)
    } catch {
      guard case .database = error else { return nil }
      throw error
    }
    return switch found {
    case .account(let account): .account(account.id)
    case .post(let post): .post(post.id)
    case nil: nil
    }
  }
}

extension Upload {
  package init(_ picture: ReceivedPicture) {
    self.init(bytes: picture.bytes, mediaType: picture.mediaType)
    altText = picture.altText
    focus = picture.focus
    usagePolicy = picture.usagePolicy
  }
}

extension StoredPicture {
  package init(_ outcome: UploadOutcome) {
    self.init(attachment: outcome.attachment, renditions: outcome.renditions, decision: outcome.decision)
  }
}
