import Model
import Persistence
import Policy
import Primitives
import Store

/// A series as its artist describes it.
package struct SeriesDraft: Hashable, Sendable {
  package var title: String
  package var description: String
  package var usagePolicy: UsagePolicy?
  package init(title: String, description: String = "", usagePolicy: UsagePolicy? = nil) {
    self.title = title
    self.description = description
    self.usagePolicy = usagePolicy
  }

  fileprivate var checked: SeriesDraft {
    get throws {
      let words = title.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      guard !words.isEmpty else { throw OperationFailure(.invalid, "series.untitled", "A series needs a title.") }
      guard words.count <= Limits.seriesTitle, words.utf8.count <= 8 * Limits.seriesTitle else {
        throw OperationFailure(
          .invalid, "series.title_too_long", "A title has at most \(Limits.seriesTitle) characters.")
      }
      guard description.count <= Limits.postCharacters, description.utf8.count <= Limits.postBytes else {
        throw OperationFailure(
          .invalid, "series.description_too_long",
          "A description has at most \(Limits.postCharacters) characters.")
      }
      return SeriesDraft(title: words, description: description, usagePolicy: usagePolicy)
    }
  }
}

extension WriteTransaction {
  package func createSeries(_ draft: SeriesDraft, by owner: Account, in context: OperationContext) throws -> Series {
    let draft = try draft.checked
    guard try seriesCount(of: owner.id) < Limits.seriesPerAccount else {
      throw OperationFailure(
        .invalid, "series.too_many", "An artist has at most \(Limits.seriesPerAccount) series.")
    }
    let series = Series(
      id: context.ids.next(), ownerID: owner.id, title: draft.title, description: draft.description,
      usagePolicy: draft.usagePolicy, createdAt: context.now)
    try insert(series)
    return series
  }

  /// A changed policy is told to everybody who holds a copy of a work in it.
  package func changeSeries(
    _ id: Series.ID, to draft: SeriesDraft, by owner: Account, in context: OperationContext
  ) throws -> Series {
    let draft = try draft.checked
    var series = try own(id, owner)
    let before = try posts(in: id, visibleTo: owner.id, limit: Limits.worksPerSeries)
    let isRestated = series.usagePolicy != draft.usagePolicy
    series.title = draft.title
    series.description = draft.description
    series.usagePolicy = draft.usagePolicy
    try update(series)
    if isRestated { try restate(before, in: context) }
    return series
  }

  /// The works in it stay, and go by their own word or their artist's again.
  package func deleteSeries(_ id: Series.ID, by owner: Account, in context: OperationContext) throws {
    let series = try own(id, owner)
    let before = try posts(in: id, visibleTo: owner.id, limit: Limits.worksPerSeries)
    try delete(series: id)
    if series.usagePolicy != nil { try restate(before, in: context) }
  }

  /// Puts an own work behind the last of a series; nil takes it out of the one it is in.
  package func move(
    _ shown: Post, to id: Series.ID?, by owner: Account, in context: OperationContext
  ) throws {
    guard let post = try self.post(shown.id), post.authorID == owner.id, post.boostOfID == nil, post.isLocal else {
      throw OperationFailure.notFound
    }
    try put(post, in: id, by: owner)
    try restate([post], in: context)
  }

  /// Without telling anybody: what publishes or edits the work does that.
  func put(_ post: Post, in id: Series.ID?, by owner: Account) throws {
    guard post.seriesID != id else { return }
    if let id {
      _ = try own(id, owner)
      guard try seriesLength(id) < Limits.worksPerSeries else {
        throw OperationFailure(
          .invalid, "series.full", "A series has at most \(Limits.worksPerSeries) works.")
      }
    }
    try place(post.id, in: id)
  }

  /// The works named come first, in that order; the others keep theirs behind them.
  package func orderSeries(_ id: Series.ID, as wanted: [Post.ID], by owner: Account) throws {
    _ = try own(id, owner)
    let present = try posts(in: id, visibleTo: owner.id, limit: Limits.worksPerSeries).map(\.id)
    guard wanted.count <= Limits.worksPerSeries, Set(wanted).count == wanted.count,
      Set(wanted).isSubset(of: present)
    else { throw OperationFailure(.invalid, "series.not_in_it", "A work is not in this series, or is named twice.") }
    let named = Set(wanted)
    try order(wanted + present.filter { !named.contains($0) }, in: id)
  }

  private func own(_ id: Series.ID, _ owner: Account) throws -> Series {
    guard let series = try series(id), series.ownerID == owner.id else { throw OperationFailure.notFound }
    return series
  }

  /// Tells peers of every work among `before` that says something else to machines now, and marks its pictures anew.
  private func restate(_ before: [Post], in context: OperationContext) throws {
    guard let owner = try before.first.flatMap({ try account($0.authorID) }) else { return }
    let after = try posts(before.map(\.id), visibleTo: owner.id)
    let pairs = before.compactMap { old in after[old.id].map { (old, $0) } }
    let changed = pairs.filter { old, new in
      effectivePolicy(of: owner, post: old, on: context.instance)
        != effectivePolicy(of: owner, post: new, on: context.instance)
    }.map(\.1)
    try setPolicyStated(at: context.now, of: changed.map(\.id))
    afterCommit(.posts)
    let pictures = try attachments(of: pairs.map(\.0.id))
    for (old, new) in pairs { try remark(pictures[new.id, default: []], from: old, to: new, of: owner, in: context) }
    guard !context.instance.isTrial else { return }
    try enqueueUnlessWaiting(
      changed.filter { $0.state == .published }.map { .federate(.updated($0.id)) }, ids: context.ids, at: context.now,
      ordering: "author \(owner.id)")
  }
}

extension WriteTransaction {
  /// Pictures carry their reservation inside the file: where a work comes to say something else, its files are made
  /// again from the original. `old` nil: as they were uploaded, before they stood in any post.
  func remark(
    _ pictures: [Attachment], from old: Post?, to new: Post, of owner: Account, in context: OperationContext
  ) throws {
    for picture in pictures where picture.state == .ready && picture.original != nil {
      func mark(_ post: Post?) -> String? {
        OutgoingSignals(effectivePolicy(of: owner, post: post, attachment: picture, on: context.instance)).dataMining
      }
      guard mark(old) != mark(new) else { continue }
      try enqueueUnlessWaiting(
        [.remark(picture.id)], ids: context.ids, at: context.now, ordering: "remark \(picture.id)")
    }
  }

  /// Takes the files that say what the work says now. False when the picture has changed meanwhile.
  package func replaceFiles(
    of id: Attachment.ID, madeFrom original: Digest, with renditions: [Rendition], in context: OperationContext
  ) throws {
    guard let picture = try attachment(id), picture.state == .ready, picture.original == original else { return }
    let old = try self.renditions(of: [id])[id, default: []]
    guard Set(old.map(\.digest)) != Set(renditions.map(\.digest)) else { return }
    try replaceRenditions(of: id, with: renditions)
    try enqueue(
      .discardFiles(Array(Set(old.map(\.digest)).subtracting(renditions.map(\.digest)))), id: context.ids.next(),
      at: context.now)
    afterCommit(.posts)
    guard let post = try picture.postID.flatMap({ try self.post($0) }), post.isLocal, post.state == .published else {
      return
    }
    // Addresses and digests in its document are new.
    try setPolicyStated(at: context.now, of: [post.id])
    guard !context.instance.isTrial else { return }
    try enqueueUnlessWaiting(
      [.federate(.updated(post.id))], ids: context.ids, at: context.now, ordering: "author \(post.authorID)")
  }
}

extension Limits {
  package static let seriesTitle = 120
}
