import Model
import Persistence
import Policy
import Primitives

extension PolicyVersion {
  fileprivate init(row: Row) throws {
    self.init(
      accountID: try row.id("account_id"), number: try row.int("number"), policy: try row.json("policy"),
      statedAt: try row.timestamp("stated_at"))
  }
}

extension PolicyReceipt {
  fileprivate init(row: Row) throws {
    self.init(
      accountID: try row.id("account_id"), number: try row.int("number"), host: try row.host("host"),
      actor: try row.iri("actor"), isAccepted: try row.bool("is_accepted"),
      receivedAt: try row.timestamp("received_at"))
  }
}

/// How many servers answered what to one version.
package struct ReceiptCounts: Hashable, Sendable {
  package var accepted = 0
  package var rejected = 0
  package init(accepted: Int = 0, rejected: Int = 0) {
    self.accepted = accepted
    self.rejected = rejected
  }
}

extension ReadTransaction {
  /// Newest first.
  package func policyVersions(of account: Account.ID, limit: Int) throws -> [PolicyVersion] {
    try rows(
      """
      SELECT account_id, number, policy, stated_at FROM policy_versions
      WHERE account_id = \(account) ORDER BY number DESC LIMIT \(limit)
      """
    ).map(PolicyVersion.init(row:))
  }

  package func policyVersion(_ number: Int, of account: Account.ID) throws -> PolicyVersion? {
    try first(
      """
      SELECT account_id, number, policy, stated_at FROM policy_versions
      WHERE account_id = \(account) AND number = \(number)
      """
    ).map(PolicyVersion.init(row:))
  }

  /// By host.
  package func receipts(of account: Account.ID, number: Int, limit: Int) throws -> [PolicyReceipt] {
    try rows(
      """
      SELECT account_id, number, host, actor, is_accepted, received_at FROM policy_receipts
      WHERE account_id = \(account) AND number = \(number) ORDER BY host LIMIT \(limit)
      """
    ).map(PolicyReceipt.init(row:))
  }

  package func receiptCounts(of account: Account.ID) throws -> [Int: ReceiptCounts] {
    let found = try rows(
      """
      SELECT number, is_accepted, COUNT(*) AS many FROM policy_receipts
      WHERE account_id = \(account) GROUP BY number, is_accepted
      """)
    return try found.reduce(into: [:]) { counts, row in
      let many = try row.int("many")
      let number = try row.int("number")
      if try row.bool("is_accepted") {
        counts[number, default: ReceiptCounts()].accepted += many
      } else {
        counts[number, default: ReceiptCounts()].rejected += many
      }
    }
  }

  /// Servers known to hold works of `account`: those whose people follow or shared, and those that answered.
  package func holders(of account: Account.ID) throws -> Int {
    try first(
      """
      SELECT COUNT(*) AS many FROM (
        SELECT accounts.host AS host FROM follows JOIN accounts ON accounts.id = follows.follower_id
        WHERE follows.followee_id = \(account) AND follows.state = 'accepted' AND accounts.host <> ''
        UNION SELECT host FROM policy_receipts WHERE account_id = \(account)
        UNION SELECT accounts.host AS host FROM posts AS own JOIN posts AS boosts ON boosts.boost_of_id = own.id
          JOIN accounts ON accounts.id = boosts.author_id
        WHERE own.author_id = \(account) AND accounts.host <> '') AS hosts
      """)?.int("many") ?? 0
  }

  package func isPolicyAnswered(_ policy: IRI) throws -> Bool {
    try first("SELECT 1 AS found FROM policy_answers WHERE policy = \(policy)") != nil
  }

  package func policyAnswers(to host: Host, since time: Timestamp) throws -> Int {
    try first("SELECT COUNT(*) AS many FROM policy_answers WHERE host = \(host) AND answered_at > \(time)")?
      .int("many") ?? 0
  }
}

extension WriteTransaction {
  package func insert(_ version: PolicyVersion) throws {
    try execute(
      """
      INSERT INTO policy_versions (account_id, number, policy, stated_at)
      VALUES (\(version.accountID), \(version.number), \(try StoredJSON.text(version.policy)), \(version.statedAt))
      """)
  }

  /// A server's last word counts.
  package func save(_ receipt: PolicyReceipt) throws {
    try execute(
      """
      INSERT INTO policy_receipts (account_id, number, host, actor, is_accepted, received_at)
      VALUES (\(receipt.accountID), \(receipt.number), \(receipt.host), \(receipt.actor), \(receipt.isAccepted),
        \(receipt.receivedAt))
      ON CONFLICT (account_id, number, host) DO UPDATE SET actor = excluded.actor,
        is_accepted = excluded.is_accepted, received_at = excluded.received_at
      """)
  }

  /// False when it was answered before.
  package func insertPolicyAnswer(to policy: IRI, at time: Timestamp) throws -> Bool {
    try execute(
      """
      INSERT INTO policy_answers (policy, host, answered_at) VALUES (\(policy), \(policy.host), \(time))
      ON CONFLICT (policy) DO NOTHING
      """) == 1
  }
}
