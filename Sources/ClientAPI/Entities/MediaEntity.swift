import HTTPSupport
import Model
import Policy
import Primitives
import Store

extension Entities {
  /// A picture of a post, or the placeholder that stands in its place.
  ///
  /// - Parameters:
  ///   - revealing: whether the viewer is a moderator, who sees what is held.
  ///   - isOwn: whether the viewer is the artist, who is told what a moderator is.
  func attachment(
    _ attachment: Attachment, renditions: [Rendition], decision: DecisionRecord?, policy: UsagePolicy,
    revealing: Bool, isOwn: Bool = false
  ) -> JSON {
    let isShown = attachment.state == .ready || (revealing && attachment.state == .held)
    var entity: JSON = ["id": .string(attachment.id.description)]
    if attachment.state == .linked {
      add(linked: attachment, to: &entity)
    } else if isShown, let full = rendition(in: renditions, of: [.large, .federated, .medium, .small]) {
      add(attachment, full: full, renditions: renditions, to: &entity)
    } else {
      let picture = asset("placeholder-\(placeholder(for: attachment))")
      entity["type"] = "image"
      entity["url"] = picture
      entity["preview_url"] = picture
      entity["remote_url"] = .null
      entity["meta"] = [:]
      entity["description"] = .string(placeholderText(attachment, decision))
      entity["blurhash"] = .null
    }
    entity["text_url"] = .null
    entity["preview_remote_url"] = .null
    entity["state"] = .string(attachment.state.rawValue)
    entity["license"] = .null
    entity["digital_source_type"] = .text(attachment.digitalSourceType)
    entity["usage_policy"] = policy.wire
    entity["ai_assessment"] = assessment(of: attachment, decision, isTrusted: revealing || isOwn)
    entity["digest"] = .text(attachment.original.map { "sha256:\($0.rawValue)" })
    entity["renditions"] = isShown ? .array(renditions.map(described)) : []
    return entity
  }

  private func add(_ attachment: Attachment, full: Rendition, renditions: [Rendition], to entity: inout JSON) {
    let preview = rendition(in: renditions, of: [.medium, .large, .federated, .small]) ?? full
    entity["type"] = "image"
    entity["url"] = .string(instance.media(full.fileName).text)
    entity["preview_url"] = .string(instance.media(preview.fileName).text)
    entity["remote_url"] = .text(attachment.remoteURL?.text)
    var meta: JSON = ["original": size(full), "small": size(preview)]
    if let focus = attachment.focus { meta["focus"] = ["x": .double(focus.x), "y": .double(focus.y)] }
    entity["meta"] = meta
    entity["description"] = .text(attachment.altText.isEmpty ? nil : attachment.altText)
    entity["blurhash"] = .text(attachment.blurhash)
  }

  /// Video and sound are not fetched: clients show a link.
  private func add(linked attachment: Attachment, to entity: inout JSON) {
    let address = attachment.remoteURL?.text ?? instance.base.text
    entity["type"] = "unknown"
    entity["url"] = .string(address)
    entity["preview_url"] = .null
    entity["remote_url"] = .string(address)
    entity["meta"] = [:]
    entity["description"] = .text(attachment.altText.isEmpty ? nil : attachment.altText)
    entity["blurhash"] = .text(attachment.blurhash)
  }

  private func rendition(in renditions: [Rendition], of kinds: [Rendition.Kind]) -> Rendition? {
    kinds.lazy.compactMap { kind in renditions.first { $0.kind == kind } }.first
  }

  private func size(_ rendition: Rendition) -> JSON {
    [
      "width": .number(rendition.width), "height": .number(rendition.height),
      "size": .string("\(rendition.width)x\(rendition.height)"),
      "aspect": .double(Double(rendition.width) / Double(max(1, rendition.height))),
    ]
  }

  private func described(_ rendition: Rendition) -> JSON {
    [
      "kind": .string(rendition.kind.rawValue), "url": .string(instance.media(rendition.fileName).text),
      "media_type": .string(rendition.mediaType), "width": .number(rendition.width),
      "height": .number(rendition.height), "size": .number(rendition.size),
      "digest": .string("sha256:\(rendition.digest.rawValue)"),
    ]
  }

  private func placeholder(for attachment: Attachment) -> String {
    switch attachment.state {
    case .held: "held"
    case .refused: "refused"
    case .failed: "failed"
    case .waiting, .ready, .linked: "waiting"
    }
  }

  /// Read aloud where a picture would be: what happened, why, and where to object.
  func placeholderText(_ attachment: Attachment, _ decision: DecisionRecord?) -> String {
    let reasons = decision?.reasons.map(\.sentence).joined(separator: " ") ?? ""
    let because = reasons.isEmpty ? "" : " \(reasons)"
    let appeal = " Appeal: \(instance.appeal(attachment.id).text)"
    let alt = attachment.altText.isEmpty ? "" : " Description by the artist: \(attachment.altText)"
    return switch attachment.state {
    case .held: "Held by the policy of \(instance.host.text) until a moderator decides.\(because)\(appeal)\(alt)"
    case .refused: "Refused by the policy of \(instance.host.text).\(because)\(appeal)\(alt)"
    case .failed: "This picture could not be shown (\(attachment.failure ?? "media.failed")).\(alt)"
    case .waiting, .ready, .linked: "This picture is being fetched and looked at.\(alt)"
    }
  }

  func reasons(_ decision: DecisionRecord?) -> JSON {
    .array(
      (decision?.reasons ?? []).map { reason in
        [
          "code": .string(reason.code.rawValue), "verdict": .string(reason.verdict.rawValue),
          "text": .string(reason.sentence),
        ]
      })
  }

  /// What was found, what was decided and how to object. Null while nobody has looked.
  ///
  /// - Parameter isTrusted: whether the viewer is the artist or a moderator. To others a picture without a flag has no
  ///   number.
  func assessment(of attachment: Attachment, _ decision: DecisionRecord?, isTrusted: Bool) -> JSON {
    guard let decision else { return .null }
    let stands = decision.verdict != .accept
    let told =
      stands || isTrusted ? decision.assessment : decision.assessment.told(cleared: decision.facts.isCleared)
    return [
      "verdict": .string(told.verdict.rawValue),
      "score": told.opinion.score.map { .double($0) } ?? .null,
      "detector": .string(told.detector),
      "evidence": .array(
        told.evidence.map { evidence in
          [
            "kind": .string(evidence.kind), "strength": .string(evidence.strength.rawValue),
            "implies": .string(evidence.implies.rawValue), "text": .string(evidence.text),
            "place": .string(evidence.place),
          ]
        }),
      "layers": .array(told.layers.map(described)),
      "is_proof": false,
      "decision": [
        "verdict": .string(decision.verdict.rawValue), "reasons": reasons(decision),
        "policy_revision": .number(decision.policyRevision), "decided_at": .string(decision.decidedAt.iso8601),
        "by": decision.decidedBy == nil ? "policy" : "moderator",
      ],
      "appeal_url": stands ? .string(instance.appeal(attachment.id).text) : .null,
    ]
  }

  private func described(_ layer: LayerOpinion) -> JSON {
    let words = LayerWords(layer)
    var reason: JSON = .null
    if case .noOpinion(let code) = layer.outcome { reason = .string(code) }
    return [
      "detector": .string(layer.detector), "model": .string(layer.model), "version": .string(layer.version),
      "date": .string(layer.date), "score": layer.outcome.score.map { .double($0) } ?? .null, "reason": reason,
      "strength": .text(words.strength?.rawValue), "human_per_thousand": .text(words.perThousand),
      "text": .string(words.sentence), "source": .string(words.source),
      "calibration": [
        "images": .number(layer.calibration.images), "sources": .number(layer.calibration.sources),
        "url": .string(instance.detectorPage.text),
      ],
      "groups": .array(words.groups.map { .string($0) }),
    ]
  }
}
