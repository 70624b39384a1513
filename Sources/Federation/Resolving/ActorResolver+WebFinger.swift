import ActivityStreams
import Model
import Primitives
import Transport

extension ActorResolver {
  /// The handle an actor is known by, after the round trip: its name on its host leads to an account whose actor it
  /// is, and so does the subject that answer names, if it is another one.
  ///
  /// Without the round trip every actor could take any name on its host, and every host any name at all.
  func handle(of read: ReadActor, budget: FetchBudget) async throws(ResolveFailure) -> Handle {
    let plain = Handle(username: read.username, host: read.actor.id.host)
    let first: WebFinger
    do { first = try await webFinger(plain, budget: budget) } catch {
      // A host without WebFinger has one namespace, that of its actors' ids; nobody else can claim the name there.
      guard case .fetch(.gone) = error else { throw error }
      return plain
    }
    guard first.actor == read.actor.id else { throw .unacceptable("webfinger.other_actor") }
    guard let subject = Handle(first.subject) else { throw .unacceptable("webfinger.subject") }
    guard subject.username.lowercased() == read.username.lowercased() else {
      throw .unacceptable("webfinger.subject")
    }
    guard subject.host != plain.host else { return plain }
    let second = try await webFinger(subject, budget: budget)
    guard second.actor == read.actor.id, Handle(second.subject) == subject else {
      throw .unacceptable("webfinger.other_actor")
    }
    return subject
  }

  /// Asks `handle.host`, unsigned, as every client does.
  func webFinger(_ handle: Handle, budget: FetchBudget) async throws(ResolveFailure) -> WebFinger {
    guard handle.host != environment.instance.host else { throw .unacceptable("id.local") }
    let address = "https://\(handle.host.text)/.well-known/webfinger?resource=acct:\(handle.description)"
    guard let url = IRI(address) else { throw .unacceptable("webfinger.handle") }
    let response: IncomingResponse
    do throws(FetchFailure) {
      // Only for what it refuses: this question is not signed.
      _ = try await fetch.scheme(of: url.host)
      try budget.spend()
      do {
        response = try await environment.client.get(
          OutgoingRequest(
            url: url, headers: [HeaderField("Accept", "application/jrd+json, application/json")],
            maximumResponse: Limits.webFinger, deadline: min(budget.deadline, Limits.webFingerDeadline)))
      } catch { throw FetchFailure.transport(error) }
      switch response.status {
      case 200...299: break
      case 404, 410: throw .gone(status: response.status)
      default: throw .status(response.status)
      }
      guard response.values(of: "content-type").allSatisfy(MediaType.isJSON),
        response.header("content-type") != nil
      else { throw .contentType }
    } catch { throw .fetch(error) }
    let json: JSON
    do { json = try JSON(parsing: response.body) } catch { throw .unacceptable(error.code) }
    guard let answer = WebFinger(reading: json) else { throw .unacceptable("webfinger.shape") }
    return answer
  }
}
