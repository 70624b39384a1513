import Model
import Persistence
import Primitives
import Store

extension WriteTransaction {
  package func bookmark(_ post: Post, by account: Account, in context: OperationContext) throws {
    try insertBookmark(context.ids.next(), of: post.id, by: account.id)
    try touch(post, by: account)
  }

  package func unbookmark(_ post: Post, by account: Account) throws { try deleteBookmark(of: post.id, by: account.id) }

  /// `markers` are timelines with the last id read in each.
  package func mark(_ markers: [(timeline: String, id: Int64)], by account: Account, in context: OperationContext)
    throws
  {
    for marker in markers { try setMarker(marker.timeline, to: marker.id, of: account.id, at: context.now) }
  }

  package func makeList(
    titled title: String, repliesPolicy: PeopleList.RepliesPolicy, isExclusive: Bool, by owner: Account,
    in context: OperationContext
  ) throws -> PeopleList {
    guard try lists(of: owner.id).count < Limits.lists else {
      throw OperationFailure(
        .invalid, "list.too_many", "Validation failed: You have reached the maximum number of lists")
    }
    let list = PeopleList(
      id: context.ids.next(), ownerID: owner.id, title: title, repliesPolicy: repliesPolicy, isExclusive: isExclusive)
    try change(list)
    return list
  }

  package func change(_ list: PeopleList) throws {
    guard (1...Limits.listTitle).contains(list.title.count), !list.title.allSatisfy(\.isWhitespace) else {
      throw OperationFailure(.invalid, "list.title", "Validation failed: Title can't be blank")
    }
    try put(list)
  }

  /// Only those one follows: a list shows part of what one sees already.
  package func add(_ people: [Account.ID], to list: PeopleList) throws {
    guard people.count <= Limits.listMembersAtOnce else { throw OperationFailure.notFound }
    for person in people {
      guard try person == list.ownerID || follow(of: person, by: list.ownerID)?.state == .accepted else {
        throw OperationFailure(.notFound, "record.not_found", "Record not found")
      }
      try insertMember(person, of: list.id)
    }
  }

  package func remove(_ people: [Account.ID], from list: PeopleList) throws {
    for person in people.prefix(Limits.listMembersAtOnce) { try deleteMember(person, of: list.id) }
  }

  /// Hides somebody without their learning of it; for ever unless it lasts a while.
  package func mute(
    _ target: Account, hidesNotices: Bool, lasts: Duration?, by account: Account, in context: OperationContext
  ) throws {
    guard target.id != account.id else {
      throw OperationFailure(.invalid, "mute.self", "You can not mute yourself.")
    }
    try setMute(
      .init(hidesNotices: hidesNotices, endsAt: lasts.map { context.now.adding($0) }), of: target.id, by: account.id)
  }

  package func unmute(_ target: Account, by account: Account) throws {
    try setMute(nil, of: target.id, by: account.id)
  }

  package func annotate(_ target: Account, with note: String, by account: Account) throws {
    guard note.unicodeScalars.count <= Limits.accountNote else {
      throw OperationFailure(.invalid, "note.too_long", "Validation failed: Comment is too long")
    }
    try setNote(note, about: target.id, by: account.id)
  }

  package func dismissNotifications(of account: Account) throws { try deleteNotifications(of: account.id) }

  package func dismiss(_ id: Notification.ID, of account: Account) throws {
    try delete(notification: id, of: account.id)
  }
}

extension Limits {
  package static let lists = 50
  package static let listTitle = 100
  package static let listMembersAtOnce = 200
  package static let accountNote = 2_000
}
