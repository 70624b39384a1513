extension UsagePolicy {
  /// How large a picture of a work may stand beside a link to it, in search results and in other people's posts: the
  /// values of the robots directive `max-image-preview`.
  package enum PreviewSize: String, Hashable, Sendable, CaseIterable { case none, standard, large }

  /// A large preview is a copy that machines read as well. Who reserves any use gets the small one.
  package var previewSize: PreviewSize {
    if restricts(.searchIndexing) { return .none }
    return Category.allCases.contains(where: restricts) ? .standard : .large
  }
}
