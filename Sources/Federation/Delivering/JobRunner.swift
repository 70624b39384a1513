import Logging
import Model
import Persistence
import Primitives
import Store

/// Works off one lane of the job table until its task is cancelled.
///
/// `perform` ends its job in the transaction of its effects. A job that throws is tried again later, and put aside for
/// a person after `Limits.jobAttempts`; one that is cancelled is given back unharmed.
package struct JobRunner: Sendable {
  private let lane: Job.Lane
  private let width: Int
  private let database: any Database
  private let signals: SignalCenter
  private let time: TimeSource
  private let random: RandomBytes
  private let log: Logger
  private let perform: @Sendable (JobLease) async throws -> Void

  package init(
    lane: Job.Lane, width: Int, environment: FederationEnvironment, signals: SignalCenter,
    perform: @escaping @Sendable (JobLease) async throws -> Void
  ) {
    self.lane = lane
    self.width = max(1, width)
    database = environment.database
    self.signals = signals
    time = environment.time
    random = environment.random
    log = environment.log
    self.perform = perform
  }

  package func run() async {
    let box = WorkBox<JobLease>()
    // Discarding, since a group that keeps its children's results grows for as long as the server runs.
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await _ in signals.subscribe(to: [.jobs]) { box.wake() }
        box.close()
      }
      var inFlight = 0
      var timer: Timestamp?
      box.wake()
      for await _ in box.ticks {
        inFlight -= box.take().count
        if Task.isCancelled { break }
        let (leases, next) = await lease(width - inFlight)
        inFlight += leases.count
        for lease in leases {
          group.addTask {
            await carry(lease)
            box.put(lease)
          }
        }
        if let next { set(&timer, to: next, box, &group) }
      }
      group.cancelAll()
    }
  }

  /// What can be taken now, and when to look again if nothing happens before.
  private func lease(_ room: Int) async -> (leases: [JobLease], next: Timestamp?) {
    guard room > 0 else { return ([], nil) }
    let now = time.now()
    let lane = lane
    do {
      // Most signals are about other lanes, and a look costs no sync.
      guard let due = try await database.read({ try $0.nextJob(in: lane) }) else { return ([], nil) }
      guard due <= now else { return ([], due) }
      return try await database.write { tx in
        let leases = try tx.leaseJobs(in: lane, at: now, until: now.adding(Limits.jobLease), limit: room)
        return (leases, leases.count == room ? nil : now.adding(.seconds(2)))
      }
    } catch {
      log.error("jobs could not be taken", metadata: ["reason": "\(error)"])
      return ([], now.adding(.seconds(5)))
    }
  }

  private func carry(_ lease: JobLease) async {
    do {
      try await perform(lease)
    } catch {
      await giveBack(lease, after: error)
    }
  }

  private func giveBack(_ lease: JobLease, after error: any Error) async {
    let now = time.now()
    let isCancelled = error is CancellationError || Task.isCancelled
    let reason = String("\(error)".prefix(500))
    let next = now.adding(Self.delay(after: lease.attempt)).adding(.seconds(5) * random.unit())
    if !isCancelled {
      log.error(
        "job failed", metadata: ["lane": "\(lane.rawValue)", "attempt": "\(lease.attempt)", "reason": "\(reason)"])
    }
    do {
      try await database.write { tx in
        if isCancelled {
          try tx.release(lease, at: now)
        } else if lease.attempt >= Limits.jobAttempts {
          try tx.quarantine(lease, error: reason)
        } else {
          try tx.retry(lease, at: next, error: reason)
        }
      }
    } catch {
      // The lease runs out by itself, and the job is taken again.
      log.error("job could not be given back", metadata: ["lane": "\(lane.rawValue)", "reason": "\(error)"])
    }
  }

  /// Five seconds, doubled each time up to an hour.
  package static func delay(after attempt: Int) -> Duration {
    min(.seconds(3_600), .seconds(5 << Int64(min(10, max(0, attempt - 1)))))
  }

  private func set(
    _ timer: inout Timestamp?, to next: Timestamp, _ box: WorkBox<JobLease>, _ group: inout DiscardingTaskGroup
  ) {
    let now = time.now()
    let delay = min(.seconds(60), max(.seconds(1), next.since(now)))
    let due = now.adding(delay)
    if let timer, timer > now, timer <= due { return }
    timer = due
    group.addTask {
      do { try await Task.sleep(for: delay) } catch { return box.close() }
      box.wake()
    }
  }
}
