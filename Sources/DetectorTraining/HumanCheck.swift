import Forensics

/// The log-odds of one human picture: as found first, then what became of it on its way.
package struct HumanMargins: Hashable, Sendable {
  package var source: String
  package var margins: [Double]

  package init(source: String, margins: [Double]) {
    self.source = source
    self.margins = margins
  }
}

/// How often the pictures of people are flagged, by artist and altogether. Only the files as found are counted: what
/// becomes of a picture on its way is no second picture.
package struct HumanCheck: Hashable, Sendable {
  package struct Artist: Hashable, Sendable {
    package var name: String
    package var flagged: Rate
  }

  /// Those flagged most often first.
  package let artists: [Artist]
  package let pooled: Rate

  /// The false-alarm rate that so many pictures prove; see `Certificate`.
  package var bound: Double { Certificate.bound(alarms: pooled.hits, of: pooled.of) }

  private init(_ flags: [(source: String, isFlagged: Bool)]) {
    artists = Dictionary(grouping: flags, by: \.source)
      .map { Artist(name: $0.key, flagged: Rate($0.value.filter(\.isFlagged).count, of: $0.value.count)) }
      .sorted { ($0.flagged.hits, $0.flagged.share, $1.name) > ($1.flagged.hits, $1.flagged.share, $0.name) }
    pooled = Rate(flags.filter(\.isFlagged).count, of: flags.count)
  }

  /// By scores of a model that knows none of these pictures.
  package init(_ pictures: [(source: String, score: Double)], threshold: Double) {
    self.init(pictures.map { ($0.source, $0.score >= threshold) })
  }

  /// By the calibration these pictures themselves make, each without those of its own artist.
  package init(crossing pictures: [HumanMargins], threshold: Double) {
    var flags: [(source: String, isFlagged: Bool)] = []
    let bySource = Dictionary(grouping: pictures, by: \.source).sorted { $0.key < $1.key }
    for (source, own) in bySource {
      let others = calibration(of: pictures.filter { $0.source != source })
      for picture in own {
        guard let margin = picture.margins.first else { continue }
        flags.append((source, others.map { $0.score(margin) >= threshold } ?? false))
      }
    }
    self.init(flags)
  }
}

/// The calibration these pictures make; nil without any.
package func calibration(of pictures: [HumanMargins]) -> Calibration? {
  Calibration(
    margins: pictures.flatMap(\.margins), images: pictures.count, sources: Set(pictures.map(\.source)).count)
}

extension Calibration {
  /// The lowest log-odds that reach a score; infinity where no picture can.
  package func margin(reaching score: Double) -> Double {
    guard self.score(.greatestFiniteMagnitude) >= score else { return .infinity }
    var low = knots.first ?? 0
    var high = (knots.last ?? 0) + 1
    if self.score(low) >= score { return low }
    for _ in 0..<200 where high - low > 1e-12 {
      let middle = low + (high - low) / 2
      if self.score(middle) >= score { high = middle } else { low = middle }
    }
    return high
  }
}

/// Whether a model may judge the pictures of an instance. Every reason against is one sentence.
package struct Judgement: Hashable, Sendable {
  package let reasons: [String]
  package var isFit: Bool { reasons.isEmpty }

  /// An artist of whom fewer pictures are known says little either way.
  package static let tellingPictures = 20
  package static let artistLimit = 0.05
  /// A threshold set for 5 in 1,000 is met by 5 in 1,000: to prove that very number takes more pictures than there
  /// are. Twice as much must be excluded.
  package static let pooledLimit = 0.01

  package init(_ check: HumanCheck) {
    var reasons: [String] = []
    for artist in check.artists
    where artist.flagged.of >= Judgement.tellingPictures && artist.flagged.share > Judgement.artistLimit {
      reasons.append(
        """
        Of \(artist.flagged.of) pictures by \(artist.name), \(artist.flagged.hits) are flagged \
        (\(percent(artist.flagged.share))); no artist with \(Judgement.tellingPictures) pictures or more may be \
        flagged more often than \(percent(Judgement.artistLimit)).
        """)
    }
    if check.bound > Judgement.pooledLimit {
      let needed = Certificate.needed(for: Judgement.pooledLimit, alarms: check.pooled.hits)
      reasons.append(
        """
        Of \(check.pooled.of) human pictures \(check.pooled.hits) are flagged, which excludes no rate of false alarms \
        below \(percent(check.bound)); to exclude more than \(percent(Judgement.pooledLimit)) with that many false \
        alarms takes \(needed) pictures.
        """)
    }
    self.reasons = reasons
  }
}
