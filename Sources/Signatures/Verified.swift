import Primitives

/// A value together with the key that vouched for it.
///
/// Holding one proves that a signature over the subject was checked. It does not prove that the key belongs to the actor
/// the subject names: that takes the actor's own document.
package struct Verified<Subject: Sendable>: Sendable {
  package let subject: Subject
  /// The id of the key, as the signature named it, fragment included.
  package let signer: IRI

  // Internal on purpose: no other target can vouch.
  init(_ subject: Subject, signer: IRI) {
    self.subject = subject
    self.signer = signer
  }
}

extension Verified: Equatable where Subject: Equatable {}

/// Compares without revealing, by the time it takes, where two values differ.
func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  guard left.count == right.count else { return false }
  var difference: UInt8 = 0
  for (one, other) in zip(left, right) { difference |= one ^ other }
  return difference == 0
}
