import Policy
import Primitives

/// One state of what an artist here says to machines, as it was published. It is never changed and never taken back:
/// whoever took a copy did so under the words of that moment.
package struct PolicyVersion: Hashable, Sendable {
  package var accountID: Account.ID
  /// From 1, without gaps.
  package var number: Int
  /// With the id it is published under.
  package var policy: UsagePolicy
  package var statedAt: Timestamp

  package init(accountID: Account.ID, number: Int, policy: UsagePolicy, statedAt: Timestamp) {
    self.accountID = accountID
    self.number = number
    self.policy = policy
    self.statedAt = statedAt
  }
}

/// What another server answered to one version. A statement, not evidence.
package struct PolicyReceipt: Hashable, Sendable {
  package var accountID: Account.ID
  package var number: Int
  package var host: Host
  /// The actor that speaks for the server.
  package var actor: IRI
  /// False: the server says that it will not honour the policy.
  package var isAccepted: Bool
  package var receivedAt: Timestamp

  package init(
    accountID: Account.ID, number: Int, host: Host, actor: IRI, isAccepted: Bool, receivedAt: Timestamp
  ) {
    self.accountID = accountID
    self.number = number
    self.host = host
    self.actor = actor
    self.isAccepted = isAccepted
    self.receivedAt = receivedAt
  }
}
