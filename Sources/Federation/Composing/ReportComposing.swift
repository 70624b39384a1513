import ActivityStreams
import Model
import Persistence
import Primitives
import Store

extension Composer {
  /// From the server itself, addressed to nobody but the target's server: who reported is not told, and nothing here
  /// is evidence for anybody else.
  func flagged(_ id: Report.ID) async throws -> ComposedActivity? {
    let found = try await environment.database.read { [instance] tx -> (Report, Account, Account, [Post])? in
      guard let report = try tx.report(id), let target = try tx.account(report.targetID), !target.isLocal,
        let sender = try tx.account(uri: instance.actor)
      else { return nil }
      return (report, sender, target, try tx.posts(in: [id])[id] ?? [])
    }
    guard let (report, sender, target, posts) = found else { return nil }
    let header = Header(id: instance.flag(report.id), actor: sender.uri)
    let objects = [target.uri] + posts.map(\.uri)
    return try await simple(
      .flag(Flag(header: header, objects: objects, content: report.comment)), id: header.id, by: sender,
      about: target.uri, to: [target], isSigned: false)
  }
}
