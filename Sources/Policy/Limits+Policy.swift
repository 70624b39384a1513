import Primitives

extension Limits {
  /// Bytes of `constraintInfo`. A URL or two sentences; more is a licence text, which belongs behind the URL.
  package static let constraintInfo = 2000
  /// Bytes of one incoming signal string, such as `xRobotsTag`. Real ones are under 100.
  package static let signalText = 1024
  /// Entries read from one CAWG assertion. The standard defines four.
  package static let trainingMiningEntries = 32
}
