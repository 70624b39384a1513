import Primitives

/// The `@context` of what is written, and the check of what is read.
///
/// Terms are written inline: Fedify fetches unknown contexts, and a context host that is down would make posts
/// unreadable there. Always an array, since Mastodon's proof verifier needs one.
package enum Context {
  private static let activityStreams = "https://www.w3.org/ns/activitystreams"
  private static let dataIntegrity = "https://w3id.org/security/data-integrity/v2"

  private static let policyTerms: [(String, JSON)] = [
    ("noai", .string(Names.usagePolicy)), ("usagePolicy", "noai:usagePolicy"), ("UsagePolicy", "noai:UsagePolicy"),
    ("basis", "noai:basis"), ("searchIndexing", "noai:searchIndexing"), ("dataMining", "noai:dataMining"),
    ("nonGenerativeTraining", "noai:nonGenerativeTraining"), ("generativeTraining", "noai:generativeTraining"),
    ("aiInput", "noai:aiInput"), ("constraintInfo", "noai:constraintInfo"),
    ("contentUsage", "noai:contentUsage"), ("xRobotsTag", "https://w3id.org/fep/5e53#xRobotsTag"),
  ]

  private static func terms(_ terms: [(String, JSON)]) -> JSON {
    var object: JSON = [:]
    for (key, value) in terms { object[key] = value }
    return object
  }

  private static func link(_ iri: JSON) -> JSON { ["@id": iri, "@type": "@id"] }

  package static let object: JSON = [
    .string(activityStreams), .string(dataIntegrity),
    terms(
      policyTerms + [
        ("digestMultibase", "https://w3id.org/security#digestMultibase"),
        ("digitalSourceType", link("http://iptc.org/std/Iptc4xmpExt/2008-02-29/DigitalSourceType")),
        ("toot", "http://joinmastodon.org/ns#"), ("blurhash", "toot:blurhash"),
        ("focalPoint", ["@container": "@list", "@id": "toot:focalPoint"]), ("Emoji", "toot:Emoji"),
        ("votersCount", "toot:votersCount"), ("sensitive", "as:sensitive"), ("Hashtag", "as:Hashtag"),
        ("schema", "http://schema.org/"), ("license", link("schema:license")), ("size", "schema:contentSize"),
        ("quote", link("https://w3id.org/fep/044f#quote")),
        ("quoteAuthorization", link("https://w3id.org/fep/044f#quoteAuthorization")),
        ("fedibird", "http://fedibird.com/ns#"), ("quoteUri", "fedibird:quoteUri"), ("quoteUrl", "as:quoteUrl"),
        ("_misskey_quote", "https://misskey-hub.net/ns#_misskey_quote"),
        ("searchableBy", link("fedibird:searchableBy")), ("gts", "https://gotosocial.org/ns#"),
        ("interactionPolicy", link("gts:interactionPolicy")), ("canReply", link("gts:canReply")),
        ("canLike", link("gts:canLike")), ("canAnnounce", link("gts:canAnnounce")),
        ("canQuote", link("gts:canQuote")), ("automaticApproval", link("gts:automaticApproval")),
        ("manualApproval", link("gts:manualApproval")),
      ]),
  ]

  package static let actor: JSON = [
    .string(activityStreams), "https://w3id.org/security/v1", "https://www.w3.org/ns/cid/v1", .string(dataIntegrity),
    terms(
      policyTerms + [
        ("policyConformance", "noai:policyConformance"), ("toot", "http://joinmastodon.org/ns#"),
        ("discoverable", "toot:discoverable"), ("indexable", "toot:indexable"), ("memorial", "toot:memorial"),
        ("suspended", "toot:suspended"), ("featured", link("toot:featured")),
        ("featuredTags", link("toot:featuredTags")), ("attributionDomains", link("toot:attributionDomains")),
        ("Emoji", "toot:Emoji"), ("manuallyApprovesFollowers", "as:manuallyApprovesFollowers"),
        ("movedTo", link("as:movedTo")), ("alsoKnownAs", link("as:alsoKnownAs")), ("Hashtag", "as:Hashtag"),
        ("schema", "http://schema.org#"), ("PropertyValue", "schema:PropertyValue"), ("value", "schema:value"),
        ("webfinger", "https://purl.archive.org/socialweb/webfinger#webfinger"),
        ("implements", ["@id": "https://w3id.org/fep/844e#implements", "@type": "@id", "@container": "@list"]),
      ]),
  ]

  /// Requests and stamps of FEP-044f. A request carries the whole quoting post.
  package static let quoting: JSON = [
    .string(activityStreams), .string(dataIntegrity),
    terms([
      ("QuoteRequest", "https://w3id.org/fep/044f#QuoteRequest"),
      ("QuoteAuthorization", "https://w3id.org/fep/044f#QuoteAuthorization"),
      ("gts", "https://gotosocial.org/ns#"), ("interactingObject", link("gts:interactingObject")),
      ("interactionTarget", link("gts:interactionTarget")),
    ]),
  ]

  package static let activity: JSON = [.string(activityStreams), .string(dataIntegrity)]

  /// Of an assessment, which travels between assessors only.
  package static let assessment: JSON = [
    .string(activityStreams), .string(dataIntegrity),
    terms([
      ("noai", .string(Names.usagePolicy)), ("AiAssessment", "noai:AiAssessment"),
      ("subject", link("noai:subject")), ("subjectDigest", "noai:subjectDigest"), ("detector", "noai:detector"),
      ("detectorVersion", "noai:detectorVersion"), ("modelDigest", "noai:modelDigest"), ("score", "noai:score"),
      ("threshold", "noai:threshold"), ("falsePositiveRate", "noai:falsePositiveRate"),
      ("calibration", link("noai:calibration")), ("decision", "noai:decision"), ("reviewedBy", "noai:reviewedBy"),
      ("appeal", link("noai:appeal")),
    ]),
  ]

  /// Of a policy that is a document of its own.
  package static let policy: JSON = [
    .string(activityStreams), .string(dataIntegrity),
    terms(policyTerms + [("supersedes", link("noai:supersedes"))]),
  ]

  /// `json` with `context` as its first member, in place of any it had.
  package static func document(_ json: JSON, _ context: JSON) -> JSON {
    var out: JSON = ["@context": context]
    for (key, value) in json.members where key != "@context" { out[key] = value }
    return out
  }
}

extension Context {
  /// Terms whose meaning decides something here.
  private static let guarded: Set<String> = [
    "id", "type", "actor", "object", "target", "to", "cc", "bto", "bcc", "attributedTo", "content", "summary", "name",
    "inReplyTo", "published", "updated", "attachment", "tag", "url", "href", "inbox", "outbox", "followers",
    "following", "preferredUsername", "endpoints", "sharedInbox", "items", "orderedItems", "first", "next", "partOf",
    "audience", "mediaType", "icon", "image", "replies", "instrument", "result", "origin", "alsoKnownAs", "movedTo",
    "Create", "Update", "Delete", "Follow", "Accept", "Reject", "Undo", "Like", "Announce", "Add", "Remove", "Block",
    "Flag", "Move", "Note", "Person", "Public",
  ]

  static func check(_ context: JSON, depth: Int) throws(VocabularyError) {
    guard depth <= Limits.jsonDepth else { throw .json(.depth) }
    switch context {
    case .array(let parts):
      guard parts.count <= Limits.contexts else { throw .unsupportedStructure }
      for part in parts { try check(part, depth: depth + 1) }
    case .object:
      for (term, definition) in context.members {
        if term == "as" {
          let isOurs = definition.string == Names.activityStreams
          guard isOurs || definition["@id"]?.string == Names.activityStreams else { throw .redefinedTerm(term) }
        }
        // A scoped context changes names further down, for readers of JSON-LD alone.
        if let scoped = definition["@context"] { try check(scoped, depth: depth + 1) }
        guard guarded.contains(term) else { continue }
        guard isPlain(definition, of: term) else { throw .redefinedTerm(term) }
      }
    default: break
    }
  }

  private static func isPlain(_ definition: JSON, of term: String) -> Bool {
    let target: String
    switch definition {
    case .string(let text): target = text
    case .object:
      // A definition without `@id` keeps the name's meaning and changes its container only.
      guard definition["@reverse"] == nil else { return false }
      guard let id = definition["@id"] else { return true }
      guard let text = id.string else { return false }
      target = text
    default: return false
    }
    if term == "id" || term == "type" { return target == "@\(term)" }
    if term == "inbox", target == "ldp:inbox" || target == "http://www.w3.org/ns/ldp#inbox" { return true }
    return target == "as:\(term)" || target == Names.activityStreams + term
  }
}
