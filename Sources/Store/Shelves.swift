import Model
import Persistence
import Primitives

extension ReadTransaction {
  /// What `account` keeps for later, by when it was kept.
  package func bookmarks(of account: Account.ID, _ page: Page<Bookmark>) throws -> [(id: ID<Bookmark>, post: Post)] {
    try rows(
      """
      SELECT bookmarks.id AS bookmark_id, \(fragment: Post.columns) FROM bookmarks
      CROSS JOIN posts ON posts.id = bookmarks.post_id
      WHERE bookmarks.account_id = \(account) AND bookmarks.id < \(page.upper) AND bookmarks.id > \(page.lower)
        AND \(fragment: Post.visible(to: account))
      ORDER BY bookmarks.id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map { (try $0.id("bookmark_id"), try Post(row: $0)) }.newestFirst(page)
  }

  /// What `account` likes, by when it was liked: the cursor is that time.
  package func favourites(of account: Account.ID, _ page: Page<Favourite>) throws -> [(id: ID<Favourite>, post: Post)] {
    try rows(
      """
      SELECT favourites.created_at AS liked_at, \(fragment: Post.columns) FROM favourites
      CROSS JOIN posts ON posts.id = favourites.post_id
      WHERE favourites.account_id = \(account) AND favourites.created_at < \(page.upper)
        AND favourites.created_at > \(page.lower) AND \(fragment: Post.visible(to: account))
      ORDER BY favourites.created_at \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map { (ID(rawValue: try $0.timestamp("liked_at").milliseconds), try Post(row: $0)) }.newestFirst(page)
  }

  package func bookmarked(by account: Account.ID?, among ids: some Collection<Post.ID>) throws -> Set<Post.ID> {
    guard let account, !ids.isEmpty else { return [] }
    return Set(
      try rows("SELECT post_id FROM bookmarks WHERE account_id = \(account) AND post_id IN \(in: Set(ids).sorted())")
        .map { try $0.id("post_id") })
  }

  package func markers(of account: Account.ID, _ names: [String]) throws -> [ReadingMarker] {
    guard !names.isEmpty else { return [] }
    return try rows(
      """
      SELECT timeline, last_read_id, version, updated_at FROM markers
      WHERE account_id = \(account) AND timeline IN \(in: names) ORDER BY timeline
      """
    ).map { row in
      ReadingMarker(
        timeline: try row.string("timeline"), lastReadID: try row.int64("last_read_id"),
        version: try row.int("version"), updatedAt: try row.timestamp("updated_at"))
    }
  }

  package func lists(of owner: Account.ID) throws -> [PeopleList] {
    try rows(
      """
      SELECT id, owner_id, title, replies_policy, is_exclusive FROM people_lists WHERE owner_id = \(owner) ORDER BY id
      """
    ).map(PeopleList.init(row:))
  }

  package func list(_ id: PeopleList.ID, of owner: Account.ID) throws -> PeopleList? {
    try first(
      """
      SELECT id, owner_id, title, replies_policy, is_exclusive FROM people_lists
      WHERE id = \(id) AND owner_id = \(owner)
      """
    ).map(PeopleList.init(row:))
  }

  package func lists(of owner: Account.ID, with member: Account.ID) throws -> [PeopleList] {
    try rows(
      """
      SELECT people_lists.id, owner_id, title, replies_policy, is_exclusive FROM people_lists
      WHERE owner_id = \(owner) AND EXISTS (SELECT 1 FROM list_members
        WHERE list_members.list_id = people_lists.id AND list_members.account_id = \(member))
      ORDER BY people_lists.id
      """
    ).map(PeopleList.init(row:))
  }

  package func members(of list: PeopleList.ID, _ page: Page<Account>) throws -> [Account] {
    try rows(
      """
      SELECT \(fragment: Account.columns) FROM list_members CROSS JOIN accounts ON accounts.id = list_members.account_id
      WHERE list_members.list_id = \(list) AND list_members.account_id < \(page.upper)
        AND list_members.account_id > \(page.lower)
      ORDER BY list_members.account_id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Account.init(row:)).newestFirst(page)
  }

  /// The part of a home timeline that the members of a list wrote or shared.
  package func timeline(of list: PeopleList, _ page: Page<Post>) throws -> [Post] {
    // A thread of one's own is no conversation.
    let answers: SQL =
      switch list.repliesPolicy {
      case .followed: "TRUE"
      case .none: "(posts.in_reply_to_uri IS NULL OR posts.in_reply_to_account_id = posts.author_id)"
      case .list:
        """
        (posts.in_reply_to_uri IS NULL OR posts.in_reply_to_account_id = posts.author_id
          OR EXISTS (SELECT 1 FROM list_members AS answered WHERE answered.list_id = \(list.id)
            AND answered.account_id = posts.in_reply_to_account_id))
        """
      }
    return try rows(
      """
      SELECT \(fragment: Post.columns) FROM home_entries CROSS JOIN posts ON posts.id = home_entries.post_id
      WHERE home_entries.owner_id = \(list.ownerID) AND home_entries.post_id < \(page.upper)
        AND home_entries.post_id > \(page.lower) AND \(fragment: Post.visible(to: list.ownerID))
        AND EXISTS (SELECT 1 FROM list_members WHERE list_members.list_id = \(list.id)
          AND list_members.account_id = posts.author_id)
        AND NOT EXISTS (SELECT 1 FROM mutes
          WHERE mutes.account_id = \(list.ownerID) AND mutes.target_id = posts.author_id)
        AND \(fragment: answers)
      ORDER BY home_entries.post_id \(fragment: page.direction) LIMIT \(page.limit)
      """
    ).map(Post.init(row:)).newestFirst(page)
  }
}

extension PeopleList {
  init(row: Row) throws {
    self.init(
      id: try row.id("id"), ownerID: try row.id("owner_id"), title: try row.string("title"),
      repliesPolicy: try row.enumCase("replies_policy"), isExclusive: try row.bool("is_exclusive"))
  }
}

extension WriteTransaction {
  package func insertBookmark(_ id: ID<Bookmark>, of post: Post.ID, by account: Account.ID) throws {
    try execute(
      """
      INSERT INTO bookmarks (id, account_id, post_id) VALUES (\(id), \(account), \(post))
      ON CONFLICT (account_id, post_id) DO NOTHING
      """)
  }

  package func deleteBookmark(of post: Post.ID, by account: Account.ID) throws {
    try execute("DELETE FROM bookmarks WHERE account_id = \(account) AND post_id = \(post)")
  }

  package func setMarker(_ timeline: String, to id: Int64, of account: Account.ID, at time: Timestamp) throws {
    try execute(
      """
      INSERT INTO markers (account_id, timeline, last_read_id, version, updated_at)
      VALUES (\(account), \(timeline), \(id), 1, \(time))
      ON CONFLICT (account_id, timeline) DO UPDATE SET last_read_id = excluded.last_read_id,
        version = markers.version + 1, updated_at = excluded.updated_at
      """)
  }

  package func put(_ list: PeopleList) throws {
    try execute(
      """
      INSERT INTO people_lists (id, owner_id, title, replies_policy, is_exclusive)
      VALUES (\(list.id), \(list.ownerID), \(list.title), \(list.repliesPolicy.rawValue), \(list.isExclusive))
      ON CONFLICT (id) DO UPDATE SET title = excluded.title, replies_policy = excluded.replies_policy,
        is_exclusive = excluded.is_exclusive
      """)
  }

  package func delete(_ list: PeopleList) throws { try execute("DELETE FROM people_lists WHERE id = \(list.id)") }

  package func insertMember(_ account: Account.ID, of list: PeopleList.ID) throws {
    try execute(
      """
      INSERT INTO list_members (list_id, account_id) VALUES (\(list), \(account))
      ON CONFLICT (list_id, account_id) DO NOTHING
      """)
  }

  package func deleteMember(_ account: Account.ID, of list: PeopleList.ID) throws {
    try execute("DELETE FROM list_members WHERE list_id = \(list) AND account_id = \(account)")
  }
}
