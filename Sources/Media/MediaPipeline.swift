import Forensics
import Logging
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Transport

/// The way of a picture from bytes to a decision: looked at in a throw-away worker, stored by digest, decided by
/// policy in one transaction. Uploads and remote pictures take the same path.
package struct MediaPipeline: Sendable {
  package let instance: Instance
  package let database: any Database
  package let blobs: BlobStore
  package let workers: WorkerPool
  package let client: GuardedClient
  /// From outside this program, each with its calibration; off by default.
  package let detectors: [CalibratedDetector]
  package let ids: SnowflakeGenerator
  package let time: TimeSource
  package let log: Logger
  package let bounds: StorageBounds

  package init(
    instance: Instance, database: any Database, blobs: BlobStore, workers: WorkerPool, client: GuardedClient,
    detectors: [CalibratedDetector] = [], ids: SnowflakeGenerator, time: TimeSource, log: Logger,
    bounds: StorageBounds = StorageBounds()
  ) {
    self.instance = instance
    self.database = database
    self.blobs = blobs
    self.workers = workers
    self.client = client
    self.detectors = detectors
    self.ids = ids
    self.time = time
    self.log = log
    self.bounds = bounds
  }

  var context: OperationContext { OperationContext(instance: instance, ids: ids, now: time.now()) }

  /// Looks at `bytes`, writes the renditions, and returns what the policy needs. Files are on disk before any row
  /// points to them; those nobody comes to point to are swept.
  func analyse(
    _ bytes: [UInt8], declaredType: String?, policy: UsagePolicy, declaredSourceType: String?, keepsOriginal: Bool
  ) async throws -> (picture: AnalysedPicture, report: MediaReport) {
    let options = MediaOptions(
      declaredType: declaredType, rights: Rights(policy: policy, digitalSourceType: declaredSourceType),
      makesStrippedCopy: detectors.contains(where: \.isCalibrated))
    let processed = try await workers.process(bytes, options)
    let original = keepsOriginal ? try blobs.put(bytes) : BlobDigest(of: bytes)
    let report = processed.report
    var renditions: [Model.Rendition] = []
    for (rendition, file) in zip(report.renditions, processed.files) {
      guard let mediaType = rendition.format.mediaType else { throw MediaRefusal.undecodable }
      let digest = try blobs.put(file)
      renditions.append(
        Model.Rendition(
          attachmentID: Attachment.ID(rawValue: 0), kind: Model.Rendition.Kind(rendition.purpose),
          digest: try digest.asDigest, mediaType: mediaType, width: rendition.width,
          height: rendition.height, size: file.count))
    }
    let sourceType = declaredSourceType ?? report.sourceRights.digitalSourceType
    let picture = AnalysedPicture(
      original: try original.asDigest, assessment: await heard(processed),
      declaration: sourceType.map { Declaration(digitalSourceType: $0) } ?? .none,
      perceptualHash: report.perceptualHash, blurhash: report.blurhash, width: report.width, height: report.height,
      digitalSourceType: sourceType, renditions: renditions, originalSize: keepsOriginal ? bytes.count : nil)
    return (picture, report)
  }

  /// With what detectors outside this program say. They are not asked where the file itself settles it.
  private func heard(_ processed: ProcessedMedia) async -> Assessment {
    var assessment = processed.report.assessment
    guard assessment.verdict != .generated else { return assessment }
    for detector in detectors {
      assessment = assessment.heard(
        await detector.opinion(of: processed.strippedCopy, mediaType: processed.report.header.format.mediaType))
    }
    return assessment
  }

  /// Deletes uploads that came into no post within a day, and files no row points to: of deleted posts, of edits, of a
  /// crash between file and row. A day spares what is being written now.
  package func sweepUnused() async throws {
    let yesterday = time.now().adding(.seconds(-86_400))
    let oldest = Attachment.ID(rawValue: yesterday.milliseconds << 16)
    _ = try await database.write { try $0.deleteUnpostedAttachments(before: oldest) }
    for blob in try blobs.digests(writtenBefore: yesterday) {
      if let digest = Digest(rawValue: blob.hex) { try await discardUnused(digest) }
    }
  }

  /// Deletes files that lost their rows, unless another work shares them, and ends the job.
  package func discard(_ files: [Digest], lease: JobLease) async throws {
    for digest in files { try await discardUnused(digest) }
    try await database.write { try $0.finish(lease) }
  }

  private func discardUnused(_ digest: Digest) async throws {
    guard try await !database.read({ try $0.isFileUsed(digest) }), let blob = BlobDigest(digest.rawValue) else {
      return
    }
    try blobs.delete(blob)
  }
}

extension BlobDigest {
  /// The same 64 digits as the rows hold them.
  var asDigest: Digest {
    get throws {
      guard let digest = Digest(rawValue: hex) else { throw MediaRefusal.undecodable }
      return digest
    }
  }
}

extension Model.Rendition.Kind {
  init(_ purpose: Forensics.Rendition.Purpose) {
    switch purpose {
    case .federated: self = .federated
    case .large: self = .large
    case .medium: self = .medium
    case .small: self = .small
    }
  }
}

extension Rights {
  /// What is written into every rendition: the reservation, where machines that lost the page still find it.
  init(policy: UsagePolicy, digitalSourceType: String?) {
    let mining = OutgoingSignals(policy).dataMining.map { SignalTable.DMI.namespace + $0 }
    let sourceType = digitalSourceType.map { term in
      term.contains(":") ? term : "http://cv.iptc.org/newscodes/digitalsourcetype/\(term)"
    }
    self.init(dataMining: mining, digitalSourceType: sourceType)
  }
}
