import Policy
import Primitives

/// What holds for a work after account, series, post and picture have spoken: the most specific word of its author wins, and
/// the default of the instance that shows it fills what is still silent.
package func effectivePolicy(
  of account: Account, post: Post? = nil, attachment: Attachment? = nil, on instance: Instance
) -> UsagePolicy {
  // An operator may open what is made here; nobody may open the works of artists elsewhere who are silent.
  let standard = account.isLocal ? instance.usagePolicy : noAI
  // Nearly every work says nothing of its own: then there is nothing to combine, on pages of forty.
  if post?.usagePolicy == nil, post?.seriesPolicy == nil, attachment?.usagePolicy == nil {
    guard let policy = account.usagePolicy, !policy.isSilent else { return standard }
    if UsagePolicy.Category.allCases.allSatisfy({ policy[$0] != nil }) { return policy }
  }
  var statements: [PolicyStatement] = []
  func state(_ policy: UsagePolicy?, _ scope: PolicyScope) {
    guard let policy else { return }
    let isDefault = !policy.basis.isArtists
    statements.append(PolicyStatement(party: isDefault ? instance.base : account.uri, scope: scope, policy: policy))
  }
  state(account.usagePolicy, .account)
  state(post?.seriesPolicy, .series)
  state(post?.usagePolicy, .object)
  state(attachment?.usagePolicy, .attachment)
  statements.append(PolicyStatement(party: instance.base, scope: .account, policy: standard))
  return combine(statements)?.policy ?? standard
}

/// What holds for the works of a series that say nothing of their own.
package func effectivePolicy(of account: Account, series: Series, on instance: Instance) -> UsagePolicy {
  let silent = Post(
    id: Post.ID(rawValue: 0), uri: account.uri, url: account.uri, authorID: account.id, visibility: .everyone,
    createdAt: series.createdAt, isLocal: true, seriesID: series.id, seriesPolicy: series.usagePolicy)
  return effectivePolicy(of: account, post: silent, on: instance)
}

private let noAI = UsagePolicy(.standard, basis: .instanceDefault)
