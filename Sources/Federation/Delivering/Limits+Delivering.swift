import Primitives

extension Limits {
  /// For how long a peer's choice of signature scheme is believed.
  package static let peerSchemeMemory = Duration.seconds(30 * 86_400)
  /// Days with nothing but failures after which a host is sent nothing until it speaks.
  package static let parkingDays = 7
  /// For how long an admin sees what expired.
  package static let expiredShown = Duration.seconds(30 * 86_400)
  /// Longer than any exchange, so that no delivery is taken twice while its first try is under way.
  package static let deliveryLease = Duration.seconds(300)
  package static let jobLease = Duration.seconds(600)
  /// Tries of a job that fails in an ordinary way, after which it is put aside for a person.
  package static let jobAttempts = 12
  /// How often a peer's last success is written when nothing else changes.
  package static let peerFreshness = Duration.seconds(3_600)
  /// The answer to a delivery is not read by anybody.
  package static let deliveryAnswer = 256 << 10
  /// An object's warning: Misskey refuses a longer one together with its object.
  package static let federatedSummary = 500
  /// Mastodon keeps so many pictures and says nothing of the others.
  package static let picturesShownByMastodon = 4
  package static let collectionPage = 40
}
