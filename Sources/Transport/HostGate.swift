import NIOCore
import Synchronization

/// Bounds the exchanges under way with one host, so that a slow host holds up itself only.
final class HostGate: Sendable {
  struct Lane: Hashable, Sendable {
    let host: String
    let method: RequestMethod
  }

  private struct Queue {
    var inside = 0
    var waiting: [(number: Int, promise: EventLoopPromise<Void>)] = []
  }

  private struct State {
    var nextNumber = 0
    var queues: [Lane: Queue] = [:]
  }

  private let state = Mutex(State())

  /// Waits for a place, in order of arrival. Every success is answered with one `leave`.
  func enter(_ lane: Lane, limit: Int, until deadline: NIODeadline, on loop: any EventLoop)
    async throws(TransportFailure)
  {
    let ticket: (number: Int, promise: EventLoopPromise<Void>)? = state.withLock { state in
      var queue = state.queues[lane] ?? Queue()
      defer { state.queues[lane] = queue }
      if queue.inside < limit {
        queue.inside += 1
        return nil
      }
      state.nextNumber += 1
      let ticket = (number: state.nextNumber, promise: loop.makePromise(of: Void.self))
      queue.waiting.append(ticket)
      return ticket
    }
    guard let ticket else { return }
    let timer = loop.scheduleTask(deadline: deadline) { self.giveUp(ticket.number, lane, .timeout(.queue)) }
    defer { timer.cancel() }
    do {
      try await withTaskCancellationHandler {
        try await ticket.promise.futureResult.get()
      } onCancel: {
        giveUp(ticket.number, lane, .cancelled)
      }
    } catch {
      throw error as? TransportFailure ?? .cancelled
    }
  }

  func leave(_ lane: Lane) {
    let next = state.withLock { state -> EventLoopPromise<Void>? in
      guard var queue = state.queues[lane] else { return nil }
      // The place passes on to whoever has waited longest.
      if !queue.waiting.isEmpty {
        let next = queue.waiting.removeFirst()
        state.queues[lane] = queue
        return next.promise
      }
      queue.inside -= 1
      state.queues[lane] = queue.inside == 0 ? nil : queue
      return nil
    }
    next?.succeed()
  }

  private func giveUp(_ number: Int, _ lane: Lane, _ failure: TransportFailure) {
    let promise = state.withLock { state -> EventLoopPromise<Void>? in
      guard let index = state.queues[lane]?.waiting.firstIndex(where: { $0.number == number }) else { return nil }
      return state.queues[lane]?.waiting.remove(at: index).promise
    }
    promise?.fail(failure)
  }
}
