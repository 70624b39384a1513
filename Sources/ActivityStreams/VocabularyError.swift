import Primitives

/// Why a document can not be read. Only structure, `id`, `type`, and the owner can fail; all else has a meaning when
/// it is missing.
package enum VocabularyError: Error, Hashable, Sendable {
  case json(JSONFailure)
  case notAnObject
  /// `@graph`, `@included`, `@reverse`, or ActivityStreams terms by their full IRI: one document, two views
  /// (CVE-2026-46349).
  case unsupportedStructure
  /// An inline context that gives another meaning to a term acted on here (CVE-2022-24307).
  case redefinedTerm(String)
  /// `id` beside another `@id`, or `type` beside another `@type`.
  case conflictingAlias
  case missing(Property)
  case invalid(Property)
  /// More than one type that asks for an action: `["Create", "Delete"]`.
  case ambiguousType

  package enum Property: String, Hashable, Sendable {
    case id, type, actor, attributedTo
  }

  /// Stable, for answers and logs.
  package var code: String {
    switch self {
    case .json(let failure): failure.code
    case .notAnObject: "document.not_an_object"
    case .unsupportedStructure: "jsonld.unsupported"
    case .redefinedTerm: "jsonld.context"
    case .conflictingAlias: "jsonld.alias"
    case .missing(let property): "missing.\(property.rawValue)"
    case .invalid(let property): "invalid.\(property.rawValue)"
    case .ambiguousType: "invalid.type"
    }
  }
}
