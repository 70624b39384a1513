import Model
import Persistence
import Policy
import Primitives
import Store

extension ReadTransaction {
  /// What the policy says of a portrait. Nothing of it is stored: one that is not shown is not kept.
  package func judge(
    _ assessment: Assessment, declaration: Declaration, of owner: Account
  ) throws -> (verdict: Verdict, reasons: [Reason]) {
    let facts = ImageFacts(
      assessment, declaration: declaration, origin: owner.host, isCleared: false,
      author: owner.isLocal ? .member : .known)
    let decision = try currentPolicy().document.decide(facts)
    return (decision.verdict, decision.told)
  }
}
