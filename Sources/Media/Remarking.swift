import Forensics
import Model
import Operations
import Persistence
import Policy
import Primitives
import Store

extension MediaPipeline {
  /// Makes the files of a picture again from its original, with the reservation that holds now, and ends the job.
  ///
  /// What was decided over the picture stands: these are the same pixels.
  package func remark(_ id: Attachment.ID, lease: JobLease) async throws {
    let found = try await database.read { tx -> (Attachment, Account, Post?)? in
      guard let picture = try tx.attachment(id), let owner = try tx.account(picture.ownerID) else { return nil }
      return (picture, owner, try picture.postID.flatMap { try tx.post($0) })
    }
    guard let (picture, owner, post) = found, picture.state == .ready, let original = picture.original,
      let blob = BlobDigest(original.rawValue), let bytes = try blobs.get(blob)
    else { return try await database.write { try $0.finish(lease) } }
    let policy = effectivePolicy(of: owner, post: post, attachment: picture, on: instance)
    let context = context
    do {
      let (made, _) = try await analyse(
        bytes, declaredType: nil, policy: policy, declaredSourceType: picture.digitalSourceType, keepsOriginal: true)
      try await database.write { tx in
        try tx.replaceFiles(of: id, madeFrom: original, with: made.renditions, in: context)
        try tx.finish(lease)
      }
    } catch let refusal as MediaRefusal {
      // It was readable once: only a busy or broken machine says no now.
      let next = time.now().adding(.seconds(600))
      try await database.write { tx in
        if refusal.isTransient || lease.attempt < 4 {
          try tx.retry(lease, at: next, error: refusal.code)
        } else {
          try tx.finish(lease)
        }
      }
    }
  }
}
