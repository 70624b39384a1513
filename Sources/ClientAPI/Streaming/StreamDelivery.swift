import HTTPSupport
import Model
import Operations
import Persistence
import Primitives
import Store

extension ClientAPI {
  /// Passes on what is committed until the task is cancelled; then every stream ends.
  package func runStreams(_ signals: SignalCenter, onFailure: @Sendable (any Error) -> Void) async {
    for await _ in signals.subscribe(to: [.streams]) {
      do { try await deliverStreams() } catch { onFailure(error) }
    }
    streams.closeAll()
  }

  /// Reads the tape from where it was left.
  func deliverStreams() async throws {
    guard streams.count > 0 else { return streams.forget() }
    while true {
      let last = try await tapeEnd()
      let listeners = streams.listeners
      let (lines, revoked, end, isMore) = try await database.read { [self] tx in
        let events = try tx.streamEvents(after: last, limit: Limits.streamEventsAtOnce)
        var lines: [(Int, StreamLine)] = []
        var revoked: [Int] = []
        for event in events {
          if event.kind == .revoked {
            revoked += try ended(of: Account.ID(rawValue: event.subject), listeners, tx)
          } else {
            lines += try drawn(event, listeners, tx)
          }
        }
        return (lines, revoked, events.last?.id ?? last, events.count == Limits.streamEventsAtOnce)
      }
      streams.last = end
      for number in revoked { streams.close(number) }
      for (number, line) in lines { streams.send(line, to: number) }
      guard isMore else { return }
    }
  }

  /// What happened before somebody came is theirs to ask for.
  func tapeEnd() async throws -> StreamEvent.ID {
    if let last = streams.last { return last }
    let end = try await database.read { try $0.lastStreamEvent() }
    streams.last = end
    return end
  }

  private func ended(
    of account: Account.ID, _ listeners: [Int: StreamHub.Listener], _ tx: any ReadTransaction
  ) throws -> [Int] {
    try listeners.filter { $0.value.account == account }
      .filter { try tx.bearer(tokenHash: $0.value.tokenHash) == nil }.map(\.key)
  }

  private func drawn(
    _ event: StreamEvent, _ listeners: [Int: StreamHub.Listener], _ tx: any ReadTransaction
  ) throws -> [(Int, StreamLine)] {
    switch event.kind {
    case .published: try post(ID(rawValue: event.subject), "update", listeners, tx)
    case .edited: try post(ID(rawValue: event.subject), "status.update", listeners, tx)
    case .deleted: gone(event, listeners)
    case .notified: try notice(ID(rawValue: event.subject), listeners, tx)
    case .filters: own("filters_changed", event, listeners)
    case .merged: own("notifications_merged", event, listeners)
    case .revoked: []
    }
  }

  private func own(
    _ name: String, _ event: StreamEvent, _ listeners: [Int: StreamHub.Listener]
  ) -> [(Int, StreamLine)] {
    listeners.filter { $0.value.account.rawValue == event.subject && $0.value.channels.contains(.user) }
      .map { ($0.key, .event(.user, name: name, payload: "")) }
  }

  private func gone(_ event: StreamEvent, _ listeners: [Int: StreamHub.Listener]) -> [(Int, StreamLine)] {
    guard let trace = event.trace else { return [] }
    let owners = Set(trace.owners)
    return listeners.flatMap { number, listener in
      listener.channels.compactMap { channel -> (Int, StreamLine)? in
        let hasSeen =
          switch channel {
          case .user, .list: owners.contains(listener.account)
          default:
            trace.isPublic && channel.carries(isLocal: trace.isLocal, hasMedia: trace.hasMedia, tags: trace.tags)
          }
        return hasSeen ? (number, .event(channel, name: "delete", payload: String(event.subject))) : nil
      }
    }
  }

  private func notice(
    _ id: Notification.ID, _ listeners: [Int: StreamHub.Listener], _ tx: any ReadTransaction
  ) throws -> [(Int, StreamLine)] {
    guard let notice = try tx.notification(id), !notice.isFiltered, notice.kind != .decision else { return [] }
    let hearers = listeners.filter {
      $0.value.account == notice.recipientID
        && ($0.value.channels.contains(.user) || $0.value.channels.contains(.notifications))
    }
    guard !hearers.isEmpty else { return [] }
    // As the list of notifications would show it: mutes and suspensions count.
    let shown = try tx.notifications(
      of: notice.recipientID, kinds: [notice.kind],
      Page(before: ID(rawValue: id.rawValue &+ 1), after: ID(rawValue: id.rawValue &- 1), limit: 1))
    return try hearers.flatMap { number, listener -> [(Int, StreamLine)] in
      guard
        let payload = try draw(shown, viewer: listener.account, isModerator: listener.isModerator, tx).first?.text
      else { return [] }
      return [StreamChannel.user, .notifications].filter(listener.channels.contains)
        .map { (number, .event($0, name: "notification", payload: payload)) }
    }
  }

  private func post(
    _ id: Post.ID, _ name: String, _ listeners: [Int: StreamHub.Listener], _ tx: any ReadTransaction
  ) throws -> [(Int, StreamLine)] {
    guard let post = try tx.post(id), post.state == .published else { return [] }
    let hasMedia = try !tx.attachments(of: [id]).isEmpty
    let tags = try tx.tags(of: [id])[id, default: []]
    let isListed =
      post.visibility == .everyone && post.boostOfID == nil
      && (post.inReplyToURI == nil || post.inReplyToAccountID == post.authorID)
    var lines: [(Int, StreamLine)] = []
    for (account, theirs) in Dictionary(grouping: listeners, by: \.value.account) {
      let wanted = Set(theirs.flatMap(\.value.channels))
      let heard = try wanted.filter { channel in
        switch channel {
        case .user: try !tx.home(of: account, only(id)).isEmpty
        case .list(let list): try tx.list(list, of: account).map { try !tx.timeline(of: $0, only(id)).isEmpty } ?? false
        case .everybody, .tag:
          try isListed && channel.carries(isLocal: post.isLocal, hasMedia: hasMedia, tags: tags)
            && isOpen(post, to: account, tx)
        case .notifications, .direct: false
        }
      }
      guard !heard.isEmpty else { continue }
      let isModerator = theirs.contains { $0.value.isModerator }
      let page = try page(of: [post], viewer: account, isModerator: isModerator, tx)
      guard let payload = page.status(post)?.text else { continue }
      for (number, listener) in theirs {
        for channel in heard.intersection(listener.channels) {
          lines.append((number, .event(channel, name: name, payload: payload)))
        }
      }
    }
    return lines
  }

  private func only(_ id: Post.ID) -> Page<Post> {
    Page(before: ID(rawValue: id.rawValue &+ 1), after: ID(rawValue: id.rawValue &- 1), limit: 1)
  }

  private func isOpen(_ post: Post, to account: Account.ID, _ tx: any ReadTransaction) throws -> Bool {
    guard try tx.post(post.id, visibleTo: account) != nil else { return false }
    return try tx.asides(of: account, about: [post.authorID])[post.authorID]?.mute == nil
  }
}
