import Model
import Persistence
import Primitives

extension ReadTransaction {
  package func jobCounts() throws -> [(lane: String, state: String, count: Int)] {
    try rows("SELECT lane, state, COUNT(*) AS jobs FROM jobs GROUP BY lane, state").map {
      (try $0.string("lane"), try $0.string("state"), try $0.int("jobs"))
    }
  }

  /// When the next job of `lane` is due; nil when there is none.
  package func nextJob(in lane: Job.Lane) throws -> Timestamp? {
    try first("SELECT MIN(run_at) AS due FROM jobs WHERE lane = \(lane.rawValue) AND state = 'ready'")?
      .optionalTimestamp("due")
  }
}

extension ReadTransaction {
  /// What the last try of a job under way ended with.
  package func lastError(of lease: JobLease) throws -> String? {
    try first("SELECT last_error FROM jobs WHERE id = \(lease.id)")?.optionalString("last_error")
  }
}

extension WriteTransaction {
  /// Queues `job` with whatever caused it. Of two with one `dedup` key only the first is kept.
  ///
  /// Jobs of one `ordering` key run one after the other, in the order they were queued.
  package func enqueue(
    _ job: Job, id: ID<Job>, at time: Timestamp, ordering: String? = nil, dedup: String? = nil
  ) throws {
    try execute(
      """
      INSERT INTO jobs (id, lane, payload, ordering_key, dedup_key, run_at, attempt, leased_until, state, last_error)
      VALUES (\(id), \(job.lane.rawValue), \(try StoredJSON.text(job)), \(ordering), \(dedup), \(time), 0, NULL, 'ready',
        NULL)
      ON CONFLICT (dedup_key) DO NOTHING
      """)
    afterCommit(.jobs)
  }

  /// Takes up to `limit` jobs of `lane` until `end`, counting the attempt in the same commit.
  ///
  /// A job whose lease ran out is taken again: its runner is gone. One that took three runners with it is put aside.
  /// Failures that were reported do not count: a picture whose host was down four times has killed nobody.
  package func leaseJobs(in lane: Job.Lane, at time: Timestamp, until end: Timestamp, limit: Int) throws -> [JobLease] {
    try execute(
      """
      UPDATE jobs SET state = 'quarantined', last_error = 'crashed'
      WHERE lane = \(lane.rawValue) AND state = 'ready' AND leased_until <= \(time) AND crashes + 1 >= \(crashLimit)
      """)
    let leased = try rows(
      """
      UPDATE jobs SET attempt = attempt + 1, leased_until = \(end),
        crashes = crashes + CASE WHEN leased_until IS NULL THEN 0 ELSE 1 END
      WHERE id IN (SELECT jobs.id FROM jobs
        WHERE jobs.lane = \(lane.rawValue) AND jobs.state = 'ready' AND jobs.run_at <= \(time)
          AND (jobs.leased_until IS NULL OR jobs.leased_until <= \(time))
          AND (jobs.ordering_key IS NULL OR NOT EXISTS (SELECT 1 FROM jobs AS earlier
            WHERE earlier.ordering_key = jobs.ordering_key AND earlier.id < jobs.id AND earlier.state = 'ready'))
        ORDER BY jobs.run_at, jobs.id LIMIT \(limit))
      RETURNING id, payload, attempt
      """)
    return try leased.compactMap { row in
      let id: ID<Job> = try row.id("id")
      do {
        return JobLease(id: id, job: try row.json("payload"), attempt: try row.int("attempt"))
      } catch {
        // What another version queued and this one can not read must not stop the lane for all the rest.
        try execute(
          """
          UPDATE jobs SET state = 'quarantined', leased_until = NULL, last_error = 'unreadable' WHERE id = \(id)
          """)
        return nil
      }
    }.sorted { $0.id < $1.id }
  }

  /// Queues those of `jobs` that do not wait already under `ordering`. One that is under way has read its rows, so it
  /// does not stand for a later change.
  package func enqueueUnlessWaiting(
    _ jobs: [Job], ids: SnowflakeGenerator, at time: Timestamp, ordering: String
  ) throws {
    guard !jobs.isEmpty else { return }
    let waiting = Set(
      try rows(
        """
        SELECT payload FROM jobs WHERE ordering_key = \(ordering) AND state = 'ready' AND leased_until IS NULL
        """
      ).map { try $0.string("payload") })
    for job in jobs where !waiting.contains(try StoredJSON.text(job)) {
      try enqueue(job, id: ids.next(), at: time, ordering: ordering)
    }
  }

  private var crashLimit: Int { 3 }

  /// Ends a job, in the transaction of its effects.
  package func finish(_ lease: JobLease) throws {
    try execute("DELETE FROM jobs WHERE id = \(lease.id)")
    afterCommit(.jobs)
  }

  package func retry(_ lease: JobLease, at time: Timestamp, error: String) throws {
    try execute(
      "UPDATE jobs SET run_at = \(time), leased_until = NULL, last_error = \(error) WHERE id = \(lease.id)")
  }

  /// Gives up its name: a disk that was full for an hour must not keep a picture from ever being fetched again.
  package func quarantine(_ lease: JobLease, error: String) throws {
    try execute(
      """
      UPDATE jobs SET state = 'quarantined', leased_until = NULL, dedup_key = NULL, last_error = \(error)
      WHERE id = \(lease.id)
      """)
  }

  /// At start nobody holds a lease of this database: it has one process. Each is a crash of its job.
  package func releaseAllLeases(at time: Timestamp) throws {
    try execute("UPDATE jobs SET leased_until = \(time) WHERE leased_until IS NOT NULL")
    try execute("UPDATE deliveries SET leased_until = NULL WHERE leased_until IS NOT NULL")
  }
}
