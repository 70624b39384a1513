import Federation
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
