import Forensics
import Logging
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store
import Transport

/// What the faces call for a portrait they were given, so that they are tested without a worker.
package typealias PortraitIntake = @Sendable (Upload, Portrait.Place, Account) async throws -> Portrait

extension MediaPipeline {
  /// Makes the small file of a portrait while its owner waits. Throws `OperationFailure` for bytes that can not be shown
  /// and for a picture that the policy does not let in; then no row points to anything.
  package func portrait(_ upload: Upload, at place: Portrait.Place, of owner: Account) async throws -> Portrait {
    guard upload.bytes.count <= Limits.portrait else {
      throw OperationFailure(
        .invalid, "media.too_large", "A picture of yourself has at most \(Limits.portrait >> 20) MiB.")
    }
    try await requireRoom(for: Limits.portraitFile, of: owner)
    do {
      let (portrait, verdict) = try await look(upload.bytes, declaredType: upload.mediaType, side: place.side, owner)
      guard verdict.verdict < .hold else {
        let why = verdict.reasons.first?.sentence ?? "This instance's policy does not accept this picture."
        throw OperationFailure(.invalid, "media.refused", why)
      }
      return portrait
    } catch let failure as BlobFailure where failure.isOutOfSpace {
      throw OperationFailure.noSpace
    } catch let refusal as MediaRefusal {
      throw OperationFailure(refusal.isTransient ? .busy : .invalid, refusal.code, refusal.text)
    }
  }

  private func look(
    _ bytes: [UInt8], declaredType: String?, side: Int, _ owner: Account
  ) async throws -> (portrait: Portrait, judged: (verdict: Verdict, reasons: [Reason])) {
    let policy = effectivePolicy(of: owner, on: instance)
    let options = MediaOptions(
      declaredType: declaredType, rights: Rights(policy: policy, digitalSourceType: nil), portraitSide: side)
    let processed = try await workers.process(bytes, options)
    guard let file = processed.files.first, let made = processed.report.renditions.first,
      let mediaType = made.format.mediaType
    else { throw MediaRefusal.undecodable }
    let declared = processed.report.sourceRights.digitalSourceType.map { Declaration(digitalSourceType: $0) } ?? .none
    let assessment = processed.report.assessment
    let judged = try await database.read { try $0.judge(assessment, declaration: declared, of: owner) }
    return (Portrait(digest: try blobs.put(file).asDigest, mediaType: mediaType), judged)
  }

  /// `Job.fetchPortraits`: the pictures of an account of another server, so that nobody's browser has to ask there.
  /// What can not be had, or is not let in, leaves the surface that stands for everybody without a picture.
  package func fetchPortraits(of id: Account.ID, lease: JobLease) async throws {
    guard let account = try await database.read({ try $0.account(id) }), !account.isLocal, account.suspendedAt == nil
    else { return try await database.write { try $0.finish(lease) } }
    var again: String?
    for place in Portrait.Place.allCases {
      let (url, known) =
        place == .avatar ? (account.avatarURL, account.avatar) : (account.headerURL, account.header)
      guard let url, known == nil else { continue }
      do {
        let portrait = try await fetched(url, side: place.side, limit: Limits.portrait, for: account)
        let context = context
        try await database.write { try $0.receivePortrait(portrait, at: place, of: id, from: url, in: context) }
      } catch let failure as PortraitFailure where failure.isTransient {
        again = failure.code
      } catch let failure as PortraitFailure {
        log.info("portrait not shown", metadata: ["actor": "\(account.id)", "reason": "\(failure.code)"])
      }
    }
    let now = time.now()
    try await database.write { [again] tx in
      if let again, lease.attempt < 4 {
        try tx.retry(lease, at: now.adding(.seconds(600 * lease.attempt)), error: again)
      } else {
        try tx.finish(lease)
      }
    }
  }

  /// The small file of a picture elsewhere. A blocked host is asked for nothing, and what is here is not fetched.
  func fetched(_ url: IRI, side: Int, limit: Int, for owner: Account) async throws -> Portrait {
    guard !url.hasSameOrigin(as: instance.base) else { throw PortraitFailure(code: "fetch.local") }
    if try await database.read({ try $0.block(of: url.host) != nil }) {
      throw PortraitFailure(code: "fetch.blocked_host")
    }
    do {
      let response = try await client.get(
        OutgoingRequest(
          url: url, headers: [HeaderField("accept", "image/jpeg, image/png, image/webp, image/gif")],
          maximumResponse: limit))
      guard response.isSuccess else {
        throw PortraitFailure(
          code: "fetch.status_\(response.status)",
          isTransient: response.status >= 500 || [408, 425, 429].contains(response.status))
      }
      let (portrait, judged) = try await look(response.body, declaredType: nil, side: side, owner)
      guard judged.verdict < .hold else { throw PortraitFailure(code: "media.refused") }
      return portrait
    } catch let failure as TransportFailure {
      throw PortraitFailure(code: failure.code, isTransient: failure.isTransient)
    } catch let refusal as MediaRefusal {
      throw PortraitFailure(code: refusal.code, isTransient: refusal.isTransient)
    }
  }
}

/// Why a small picture of another server is not shown.
struct PortraitFailure: Error, Hashable, Sendable {
  var code: String
  var isTransient = false
}

extension Limits {
  /// What is kept of a portrait, at most: 1,500 pixels a side.
  static let portraitFile = 4 << 20
}
