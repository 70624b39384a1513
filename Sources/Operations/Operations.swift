// Every state change of the product, each one function on a write transaction. A change and the jobs it causes are
// rows of one transaction. Knows no protocol and no network: what must be fetched was fetched before.

import Model
import Primitives

/// What an operation may use besides the rows: who we are, the time, and new ids.
package struct OperationContext: Sendable {
  package let instance: Instance
  package let ids: SnowflakeGenerator
  package let now: Timestamp

  package init(instance: Instance, ids: SnowflakeGenerator, now: Timestamp) {
    self.instance = instance
    self.ids = ids
    self.now = now
  }
}

/// Why an operation changed nothing. `code` is stable; `sentence` is for the person who asked.
package struct OperationFailure: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// What was asked for is not there, or not for this person: the two are never told apart.
    case notFound
    case forbidden
    case invalid
    /// Somebody else was faster.
    case conflict
    /// There is no room for it on this machine.
    case full
    /// Not now; the same request may succeed shortly.
    case busy
  }

  package let kind: Kind
  package let code: String
  package let sentence: String

  package init(_ kind: Kind, _ code: String, _ sentence: String) {
    self.kind = kind
    self.code = code
    self.sentence = sentence
  }

  package static let notFound = OperationFailure(.notFound, "record.not_found", "Record not found")
}
