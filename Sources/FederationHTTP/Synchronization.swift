import Federation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Persistence
import Primitives
import Signatures
import Store

extension FederationFace {
  /// The followers of one of ours that are of the asking server (FEP-8fcf). In every mode a signed question only: each
  /// server is told of its own people and of nobody else's.
  func followersPart(_ name: String, _ request: Request, _ context: FaceContext) async throws -> Response {
    try await uncached {
      try requireFederation()
      let asker: IRI
      switch await gate.admit(facts(of: request, context)) {
      case .anonymous: throw unsigned
      case .signed(let actor, _): asker = actor
      case .refused(let answer): throw answer.problem
      }
      let list = try await composer.followers(of: try await account(name), at: asker.origin)
      guard let list else { throw Problem.notFound }
      return answer(list, to: request, .signed)
    }
  }
}
