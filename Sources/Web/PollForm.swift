import HTTPSupport
import Hummingbird
import Model
import Operations
import Persistence
import Primitives
import Store

struct PollWords {
  struct Option {
    let kind: String
    let choice: Int
    let title: String
    let votes: String?
    let isChosen: Bool
  }
  let path: String
  let token: String?
  let question: String
  let canVote: Bool
  let options: [Option]
  let standing: String
}

extension WebFace {
  func words(of post: Post, _ page: PageAssembly, _ context: FaceContext) -> PollWords? {
    guard let poll = page.polls[post.id] else { return nil }
    let now = time.now()
    let choices = page.choices[post.id, default: []]
    let hasEnded = poll.hasEnded(at: now)
    let viewer = context.bearer?.account.id
    let total = max(1, poll.voters ?? poll.votes)
    let options = poll.options.enumerated().map { position, option in
      PollWords.Option(
        kind: poll.isMultiple ? "checkbox" : "radio", choice: position, title: option.title,
        votes: poll.showsTotals(at: now) ? "\(option.votes) (\(min(100, option.votes * 100 / total)) %)" : nil,
        isChosen: choices.contains(position))
    }
    let people = (poll.voters ?? poll.votes) == 1 ? "1 vote" : "\(poll.voters ?? poll.votes) votes"
    let end = poll.endsAt.map { hasEnded ? "Ended \(dayInWords($0))." : "Ends \(dayInWords($0))." } ?? ""
    return PollWords(
      path: "/polls/\(post.id)", token: context.sessionSecret.map(formToken(sessionSecret:)),
      question: poll.isMultiple ? "Choose as many as you like" : "Choose one",
      canVote: viewer != nil && viewer != post.authorID && !hasEnded && choices.isEmpty, options: options,
      standing: "\(people). \(end)")
  }

  @Sendable func vote(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    guard let id = context.parameters.get("id").flatMap({ Post.ID($0) }) else { throw Problem.notFound }
    let choices = parameters.all("choices").prefix(Limits.pollOptions * 8).compactMap { Int($0) }
    let change = self.context
    let path = try await database.write { tx in
      guard let post = try tx.post(id, visibleTo: bearer.account.id), let author = try tx.account(post.authorID) else {
        throw OperationFailure.notFound
      }
      try tx.vote(choices, in: post, by: bearer.account, in: change)
      return self.path(of: post, by: author)
    }
    return Response.seeOther(path)
  }
}
