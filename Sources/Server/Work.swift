import ClientAPI
import Federation
import Logging
import Media
import Model
import Operations
import Persistence
import Primitives
import Store

extension Services {
  /// Everything that runs beside the requests, until its task is cancelled. One process serves a database, so what
  /// was leased when the last one ended is free.
  package func work() async {
    let now = time.now()
    do {
      try await database.write { try $0.releaseAllLeases(at: now) }
      try media.blobs.sweep()
    } catch {
      log.error("leases could not be given back", metadata: ["reason": "\(error)"])
    }
    await withTaskGroup(of: Void.self) { group in
      for (lane, width) in lanes { group.addTask { await runner(of: lane, width).run() } }
      if !instance.isTrial {
        group.addTask {
          await DeliveryLoop(environment: federation, signals: database.signals).run()
        }
        group.addTask { await every(.seconds(60), "parked requests") { _ = try await receiving.parked.step() } }
      }
      group.addTask {
        await clientAPI(joiningDesk).runStreams(database.signals) {
          log.error("streams failed", metadata: ["reason": "\($0)"])
        }
      }
      group.addTask { await every(.seconds(15), "heartbeats") { streams.beat() } }
      // The command line writes from another process, whose commits wake nobody here.
      group.addTask {
        await every(.seconds(2), "waking") {
          database.signals.send(.jobs)
          database.signals.send(.deliveries)
          database.signals.send(.streams)
        }
      }
      group.addTask {
        await every(.seconds(3_600), "housekeeping") {
          try await Housekeeping(database: database, time: time).sweep()
          let context = context
          try await database.write { try $0.endQuarantine(in: context) }
          try await database.write { try $0.endAssessments(in: context) }
          try await database.write { try $0.deleteStreamEvents(keeping: Limits.streamTape) }
          try await media.sweepUnused()
          try await database.tidy()
        }
      }
    }
  }

  /// Stops deliveries at once, in a running server too; what is under way ends. False when they were stopped already.
  package func pauseDeliveries() async throws -> Bool {
    let pause = DeliveryPause(reason: .asked, since: time.now())
    return try await database.write { tx in
      guard try tx.deliveryPause() == nil else { return false }
      try tx.pauseDeliveries(pause)
      return true
    }
  }

  package struct Resumption: Hashable, Sendable {
    package var pause: DeliveryPause
    package var abandoned: Int
    package var waiting: Int
  }

  /// Lets deliveries go on, nil when nothing was paused. After a restore, what waited in the backup is given up unless
  /// `sendingOld`: it was delivered, or overtaken, after the backup was made.
  package func resumeDeliveries(sendingOld: Bool) async throws -> Resumption? {
    try await database.write { tx in
      guard let pause = try tx.deliveryPause() else { return nil }
      let old = pause.reason == .restored && !sendingOld ? pause.since : nil
      let abandoned = try tx.resumeDeliveries(abandoningBefore: old)
      let waiting = try tx.waitingDeliveries(split: pause.since)
      return Resumption(pause: pause, abandoned: abandoned, waiting: waiting.before + waiting.since)
    }
  }

  /// How much of each kind goes on at once. Receiving waits for disks and other servers, pictures for processors.
  private var lanes: [(Job.Lane, Int)] {
    [(.inbound, 64), (.federation, 8), (.resolving, 8), (.media, settings.mediaWorkers * 2), (.mail, 2), (.push, 16)]
  }

  private func runner(of lane: Job.Lane, _ width: Int) -> JobRunner {
    let composer = Composer(environment: federation)
    return JobRunner(lane: lane, width: width, environment: federation, signals: database.signals) { lease in
      switch lease.job {
      case .receive, .refreshActor, .fetchPost, .readThread, .resolveQuote, .settlePoll, .fetchFeatured:
        _ = try await receiving.run(lease)
      case .compareFollowers: _ = try await receiving.run(lease)
      case .federate(let intent): try await composer.compose(intent, for: lease)
      case .publishScheduled(let id):
        let context = context
        try await database.write { tx in
          try tx.publish(scheduled: id, in: context)
          try tx.finish(lease)
        }
      case .fetchMedia(let id): try await media.fetch(id, lease: lease)
      case .reconsider(let id): try await media.reconsider(id, lease: lease)
      case .remark(let id): try await media.remark(id, lease: lease)
      case .fetchPortraits(let id): try await media.fetchPortraits(of: id, lease: lease)
      case .discardFiles(let files): try await media.discard(files, lease: lease)
      case .mail(let letter): try await send(letter, lease)
      case .push(let id, let subscription): try await push(id, to: subscription, lease)
      }
    }
  }

  private func every(_ interval: Duration, _ what: String, _ work: @Sendable () async throws -> Void) async {
    while !Task.isCancelled {
      do {
        try await work()
        // A pause, not a race: nothing waits for the end of it.
        try await Task.sleep(for: interval)
      } catch is CancellationError {
        return
      } catch {
        log.error("\(what) failed", metadata: ["reason": "\(error)"])
        do { try await Task.sleep(for: interval) } catch { return }
      }
    }
  }
}
