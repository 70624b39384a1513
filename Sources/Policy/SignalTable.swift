import Primitives

/// The words of the other mechanisms, as data: they move, the policies do not.
package enum SignalTable {
  package typealias Category = UsagePolicy.Category

  /// Uses of a model; what `noai` speaks of.
  package static let models: [Category] = [.nonGenerativeTraining, .generativeTraining, .aiInput]
  /// Taking copies in order to learn from them.
  package static let mining: [Category] = [.dataMining, .nonGenerativeTraining, .generativeTraining]
  /// Everything but search.
  package static let artificialIntelligence: [Category] = mining + [.aiInput]

  package static let noAIDirectives = ["noai", "noimageai"]
  package static let noIndexDirectives = ["noindex", "noimageindex"]

  package static let aiprefTraining = "train-ai"
  package static let aiprefSearch = "search"
  /// What each AIPREF label says. Labels of withdrawn drafts are read and never written.
  package static let aiprefLabels: [(label: String, categories: [Category])] = [
    ("train-ai", [.generativeTraining]),
    ("search", [.searchIndexing]),
    ("train-genai", [.generativeTraining]),
    ("genai", [.generativeTraining]),
    ("ai", [.nonGenerativeTraining, .generativeTraining]),
    ("ai-use", [.aiInput]),
    ("ai-output", [.aiInput]),
    ("bots", [.dataMining]),
  ]
  /// Labels that may also be read as permission. A withdrawn label meant something wider or narrower by the draft, so
  /// only its refusals are taken.
  package static let currentAiprefLabels: Set<String> = ["train-ai", "search"]

  /// draft-romm-aipref-contentsignals.
  package static let contentSignals: [(label: String, categories: [Category])] = [
    ("search", [.searchIndexing]),
    ("ai-input", [.aiInput]),
    ("ai-train", [.nonGenerativeTraining, .generativeTraining]),
  ]

  /// CAWG 1.1. `ai_training` is non-generative only; the two kinds of training are disjoint.
  package static let cawg: [(label: String, category: Category)] = [
    ("cawg.data_mining", .dataMining),
    ("cawg.ai_inference", .aiInput),
    ("cawg.ai_generative_training", .generativeTraining),
    ("cawg.ai_training", .nonGenerativeTraining),
  ]

  /// PLUS, `plus:DataMining`.
  package enum DMI {
    package static let namespace = "http://ns.useplus.org/ldf/vocab/"
    package static let unspecified = "DMI-UNSPECIFIED"
    package static let allowed = "DMI-ALLOWED"
    package static let prohibitedTraining = "DMI-PROHIBITED-AIMLTRAINING"
    package static let prohibitedGenerativeTraining = "DMI-PROHIBITED-GENAIMLTRAINING"
    package static let prohibitedExceptSearch = "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING"
    package static let prohibited = "DMI-PROHIBITED"
    package static let seeConstraint = "DMI-PROHIBITED-SEECONSTRAINT"
    package static let seeEmbedded = "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR"
    package static let seeLinked = "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR"
  }
}
