/// Chance that is the same for the same seed on every machine: SplitMix64.
package struct SeededChance: Sendable {
  private var state: UInt64

  package init(_ seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// In `0..<bound`; 0 when there is nothing to choose from. The bias of the multiplication is below 2^-32 here.
  package mutating func below(_ bound: Int) -> Int {
    guard bound > 1, let width = UInt64(exactly: bound) else { return 0 }
    return Int(truncatingIfNeeded: next().multipliedFullWidth(by: width).high)
  }

  /// In `0..<1`.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// `count` different numbers of `0..<bound`, ascending.
  package mutating func choose(_ count: Int, of bound: Int) -> [Int] {
    var chosen: [Int] = []
    var wanted = min(count, bound)
    chosen.reserveCapacity(wanted)
    for number in 0..<max(0, bound) where wanted > 0 {
      if below(bound - number) < wanted {
        chosen.append(number)
        wanted -= 1
      }
    }
    return chosen
  }
}
