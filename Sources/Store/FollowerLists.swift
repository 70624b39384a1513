import Model
import Persistence
import Primitives

extension ReadTransaction {
  /// The ids of remote followers who were accepted, at most `limit`.
  package func remoteFollowerURIs(of id: Account.ID, limit: Int) throws -> [IRI] {
    try rows(
      """
      SELECT accounts.uri FROM follows JOIN accounts ON accounts.id = follows.follower_id
      WHERE follows.followee_id = \(id) AND follows.state = 'accepted' AND accounts.host <> ''
        AND accounts.suspended_at IS NULL LIMIT \(limit)
      """
    ).map { try $0.iri("uri") }
  }

  /// Who of here follows `id`, with the row that says so.
  package func localFollowers(of id: Account.ID) throws -> [(follow: Follow, follower: IRI)] {
    try rows(
      """
      SELECT \(fragment: Follow.columns), accounts.uri AS follower_uri
      FROM follows JOIN accounts ON accounts.id = follows.follower_id
      WHERE follows.followee_id = \(id) AND follows.state = 'accepted' AND accounts.host = ''
      """
    ).map { (try Follow(row: $0), try $0.iri("follower_uri")) }
  }

  /// When the list of followers of `id` was last compared with what its server says.
  package func followerCheck(of id: Account.ID) throws -> Timestamp? {
    try first("SELECT checked_at FROM follower_checks WHERE account_id = \(id)")?.timestamp("checked_at")
  }
}

extension WriteTransaction {
  package func noteFollowerCheck(of id: Account.ID, at time: Timestamp) throws {
    try execute(
      """
      INSERT INTO follower_checks (account_id, checked_at) VALUES (\(id), \(time))
      ON CONFLICT (account_id) DO UPDATE SET checked_at = excluded.checked_at
      """)
  }
}
