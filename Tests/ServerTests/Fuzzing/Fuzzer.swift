import Foundation
import Primitives
import Synchronization
import Testing

/// Bytes made out of a corpus by chance, the same for the same seed.
///
/// In the normal tier each target gets a fixed number of inputs. `ATELIER_FUZZ_SECONDS` gives each that many seconds
/// instead, `ATELIER_FUZZ_SEED` another beginning; a finding names its seed and the input in hexadecimal.
struct Fuzzer {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seconds = environment["ATELIER_FUZZ_SECONDS"].flatMap { Int($0) }
  private static let first = environment["ATELIER_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1

  let corpus: [[UInt8]]
  /// Pieces of the grammar, put where they hurt.
  let words: [[UInt8]]

  init(_ corpus: [String], words: [String] = []) {
    self.corpus = corpus.map { Array($0.utf8) }
    self.words = words.map { Array($0.utf8) }
  }

  init(_ corpus: [[UInt8]], words: [String] = []) {
    self.corpus = corpus
    self.words = words.map { Array($0.utf8) }
  }

  /// Calls `body` with input after input; what it throws or records is a finding.
  func run(_ count: Int = 3_000, _ body: ([UInt8]) throws -> Void) rethrows {
    let end = Self.seconds.map { ContinuousClock.now + .seconds($0) }
    var seed = Self.first
    var made = 0
    while end.map({ ContinuousClock.now < $0 }) ?? (made < count) {
      let input = input(seed)
      Self.current.withLock { $0 = "seed \(seed): \(Hex.encode(Array(input.prefix(4_096))))" }
      try body(input)
      seed &+= 1
      made += 1
    }
  }

  /// What is being tried, for a comment of an expectation.
  static var now: Comment { Comment(rawValue: current.withLock { $0 }) }
  private static let current = Mutex("")

  private func input(_ seed: UInt64) -> [UInt8] {
    var lots = Lots(seed)
    guard !corpus.isEmpty else { return [] }
    var bytes = corpus[lots.below(corpus.count)]
    // Now and then as it is, so that the path of what is right is walked too.
    for _ in 0..<lots.below(6) { mutate(&bytes, &lots) }
    return Array(bytes.prefix(64 << 10))
  }

  private func mutate(_ bytes: inout [UInt8], _ lots: inout Lots) {
    let place = lots.below(bytes.count + 1)
    let length = min(bytes.count - place, 1 + lots.below(12))
    switch lots.below(9) {
    case 0: if place < bytes.count { bytes[place] ^= UInt8(1 << lots.below(8)) }
    case 1: bytes.insert(UInt8(lots.below(256)), at: place)
    case 2: bytes.removeSubrange(place..<(place + length))
    case 3: bytes.insert(contentsOf: bytes[place..<(place + length)], at: place)
    case 4:
      let other = corpus[lots.below(corpus.count)]
      let start = lots.below(other.count + 1)
      bytes.replaceSubrange(place..<(place + length), with: other[start..<min(other.count, start + 40)])
    case 5, 6: if !words.isEmpty { bytes.insert(contentsOf: words[lots.below(words.count)], at: place) }
    case 7: bytes.insert(contentsOf: Self.awkward[lots.below(Self.awkward.count)], at: place)
    default: bytes = Array(bytes.prefix(place))
    }
  }

  private static let awkward: [[UInt8]] = [
    [0], [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xef, 0xbb, 0xbf], Array("\r\n".utf8),
    Array("\\".utf8), Array("\"".utf8), Array("9223372036854775808".utf8), Array("-0".utf8), Array("1e999".utf8),
    Array("%00".utf8), Array("\u{202E}".utf8), Array("\\ud800".utf8), Array(String(repeating: "[", count: 40).utf8),
  ]
}
