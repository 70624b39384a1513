import HTTPSupport
import HTTPTypes
import Hummingbird
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

private struct AssessorsPage {
  struct Peer {
    let name: String
    let weight: String
    let state: String
  }
  struct Count {
    let host: String
    let decision: String
    let count: Int
  }
  let token: String
  let own: String
  let peers: [Peer]
  let noPeers: Bool
  let followers: [Peer]
  let noFollowers: Bool
  let requests: [Peer]
  let hasRequests: Bool
  let counts: [Count]
  let hasCounts: Bool
  let holds: Bool
  let done: Bool
}

private struct AssessmentsPage {
  struct Item {
    let server: String
    let words: String
    let date: String
    let ends: String
    let work: String?
    let appeal: String
    let effect: String
  }
  let items: [Item]
  let isEmpty: Bool
}

extension PeerAssessment.Decision {
  /// What the other server did. What the picture is, it does not know either.
  var inWords: String {
    switch self {
    case .passed: "looked at it and flagged nothing"
    case .labelled: "shows it with a flag"
    case .held: "holds it for a moderator"
    case .refused: "does not show it"
    case .overturned: "took its flag back"
    case .confirmed: "keeps its flag after an appeal"
    }
  }
}

extension WebFace {
  /// Whose assessments are heard here and how much they count, and who hears ours. An admin's page.
  @Sendable func assessors(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard context.bearer != nil else { return Response.seeOther("/login") }
    _ = try context.require(role: .admin)
    let own = instance.assessor
    let model = try await database.read { [self] tx -> AssessorsPage in
      let us = try tx.account(uri: own)
      let peers = try tx.assessorPeers()
      let people = try tx.accounts(peers.map(\.accountID))
      let page = Page<Follow>(limit: Limits.listedAssessors)
      func shown(_ pair: (follow: Follow, account: Account)) -> AssessorsPage.Peer {
        .init(name: handle(of: pair.account), weight: "", state: "")
      }
      let heard = try peers.compactMap { peer -> AssessorsPage.Peer? in
        guard let account = people[peer.accountID] else { return nil }
        let state =
          switch try us.flatMap({ try tx.follow(of: account.id, by: $0.id)?.state }) {
          case .accepted: "heard"
          case .pending: "asked, not answered yet"
          case nil: "not heard"
          }
        return .init(name: handle(of: account), weight: "\(peer.weight)", state: state)
      }
      let followers = try us.map { try tx.followers(of: $0.id, page).map(shown) } ?? []
      let requests = try us.map { try tx.followRequests(to: $0.id, page).map(shown) } ?? []
      let counts = try tx.assessmentCounts().map {
        AssessorsPage.Count(host: $0.host, decision: $0.decision.inWords, count: $0.count)
      }
      return AssessorsPage(
        token: context.sessionSecret.map(formToken(sessionSecret:)) ?? "",
        own: "@\(Instance.assessorName)@\(instance.host.text)", peers: heard, noPeers: heard.isEmpty,
        followers: followers, noFollowers: followers.isEmpty, requests: requests, hasRequests: !requests.isEmpty,
        counts: counts, hasCounts: !counts.isEmpty, holds: try tx.assessmentEffect() == .hold,
        done: request.uri.queryParameters["done"] != nil)
    }
    let frame = frame("Assessors", context, policy: standardPolicy, isListed: false)
    return try page("assessors", model, frame, request, context, policy: standardPolicy, isPrivate: true)
  }

  @Sendable func changeAssessors(_ request: Request, _ context: FaceContext) async throws -> Response {
    _ = try context.require(role: .admin)
    let parameters = try await RequestParameters(reading: request, limit: Limits.smallForm)
    try checkForm(parameters, request, context)
    let change = self.context
    let act = parameters["act"] ?? ""
    if let effect = parameters["effect"].flatMap({ AssessmentEffect(rawValue: $0) }) {
      try await database.write { try $0.setAssessmentEffect(effect, in: change) }
      return Response.seeOther("/moderation/assessors?done=1")
    }
    let name = parameters["name"] ?? ""
    let weight = parameters["weight"].flatMap { Double($0) }
    let own = instance.assessor
    guard let (peer, _) = try await known(name), !peer.isLocal else {
      throw Problem(
        .unprocessableContent, "assessor.unknown",
        "This assessor is not known here yet. Run: atelier assessor follow assessor@server.example")
    }
    try await database.write { tx in
      guard let us = try tx.account(uri: own) else { throw OperationFailure.notFound }
      switch act {
      case "follow": try tx.followAssessor(peer, in: change)
      case "weigh": try tx.setWeight(of: peer, to: weight ?? -1, in: change)
      case "forget": try tx.forgetAssessor(peer, in: change)
      case "approve": try tx.acceptFollow(by: peer, to: us, in: change)
      case "decline": try tx.rejectFollow(by: peer, to: us, in: change)
      default: throw Problem.parameter("act")
      }
    }
    return Response.seeOther("/moderation/assessors?done=1")
  }

  /// What assessors of other servers say of one's own works, and where to object.
  @Sendable func assessments(_ request: Request, _ context: FaceContext) async throws -> Response {
    guard let bearer = context.bearer else { return Response.seeOther("/login") }
    let artist = bearer.account
    let now = time.now()
    let found = try await database.read { tx in
      let all = try tx.peerAssessments(ofWorksBy: artist.id, limit: Limits.listedAssessments)
      let pictures = try tx.attachments(Set(all.map(\.attachmentID)))
      return (
        all: all, pictures: pictures, people: try tx.accounts(Set(all.map(\.assessorID))),
        decisions: try tx.decisions(on: pictures.map(\.id))
      )
    }
    let items = found.all.compactMap { assessment -> AssessmentsPage.Item? in
      guard let server = found.people[assessment.assessorID]?.host,
        let picture = found.pictures.first(where: { $0.id == assessment.attachmentID })
      else { return nil }
      let reasons = found.decisions[picture.id]?.reasons ?? []
      let isFelt = reasons.contains { $0.code == .peerAssessments }
      let isOver = assessment.hasEnded || assessment.endsAt <= now
      return .init(
        server: server.text, words: assessment.decision.inWords, date: dayInWords(assessment.statedAt),
        ends: isOver ? "It has ended." : "It ends on \(dayInWords(assessment.endsAt)).",
        work: picture.postID.map { "\(path(of: artist))/\($0)" }, appeal: assessment.appeal.text,
        effect: isFelt && !isOver && assessment.decision.isAgainst
          ? "It is one of the reasons why your picture has a flag here." : "It has no effect here.")
    }
    let policy = effectivePolicy(of: artist, on: instance)
    let frame = frame("What other servers say of my works", context, policy: policy, isListed: false)
    return try page(
      "assessments", AssessmentsPage(items: items, isEmpty: items.isEmpty), frame, request, context, policy: policy,
      isPrivate: true)
  }
}

extension Limits {
  static let listedAssessors = 200
  static let listedAssessments = 200
}
