import Model
import Persistence
import Policy
import Primitives
import Store

extension WriteTransaction {
  /// Gives what `account` says from now on a number and an address of its own. Words that were said last are not said
  /// again under another number.
  func publishPolicy(
    _ policy: UsagePolicy, of account: Account, in context: OperationContext
  ) throws -> UsagePolicy {
    let last = try policyVersions(of: account.id, limit: 1).first
    if let last, last.policy.means(theSameAs: policy), last.policy.basis == policy.basis { return last.policy }
    let number = (last?.number ?? 0) + 1
    let published = policy.with(id: context.instance.policy(number, of: account.username))
    try insert(
      PolicyVersion(accountID: account.id, number: number, policy: published, statedAt: context.now))
    return published
  }

  /// Another server says whether it honours a policy of an artist here. Its last word counts.
  package func receiveReceipt(
    of number: Int, by account: Account, from actor: Account, isAccepted: Bool, in context: OperationContext
  ) throws {
    guard account.isLocal, let host = actor.host, try policyVersion(number, of: account.id) != nil else {
      throw OperationFailure.notFound
    }
    let known = try receiptCounts(of: account.id)[number] ?? ReceiptCounts()
    // Hosts are cheap: whoever owns a domain could fill the disk with names below it.
    guard known.accepted + known.rejected < Limits.receiptsOfPolicy else {
      throw OperationFailure(.full, "receipt.too_many", "This policy was answered by very many servers already.")
    }
    try save(
      PolicyReceipt(
        accountID: account.id, number: number, host: host, actor: actor.uri, isAccepted: isAccepted,
        receivedAt: context.now))
  }

  /// Tells an artist elsewhere, once for each published policy, that this server honours it.
  package func answerPolicy(of author: Account, in context: OperationContext, _ policy: UsagePolicy?) throws {
    guard let id = (policy ?? author.usagePolicy)?.id, !context.instance.isTrial, !author.isLocal,
      id.hasSameOrigin(as: author.uri), author.suspendedAt == nil, try !isPolicyAnswered(id)
    else { return }
    // Somebody who publishes a policy for every work must not make us send as many answers.
    let day = context.now.adding(.seconds(-86_400))
    guard try policyAnswers(to: id.host, since: day) < Limits.receiptsPerHost,
      try insertPolicyAnswer(to: id, at: context.now)
    else { return }
    try enqueue(
      .federate(.policyAnswered(policy: id, author: author.id)), id: context.ids.next(), at: context.now,
      dedup: "receipt \(id.text)")
  }
}

extension Limits {
  /// Servers whose answer to one policy is kept.
  package static let receiptsOfPolicy = 20_000
  /// Answers sent to one server in a day.
  package static let receiptsPerHost = 200
}
