import Foundation
import Primitives
import Synchronization

/// How far something is, on standard error: a bar that is drawn again and again at a terminal, a line for every tenth
/// elsewhere.
final class Progress: Sendable {
  private struct State {
    var done = 0
    var shown = -1
  }

  private let title: String
  private let total: Int
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = TimeSource.system.now()
  private let state = Mutex(State())

  init(_ title: String, of total: Int) {
    self.title = title
    self.total = max(1, total)
  }

  func advance(by count: Int = 1) {
    let line = state.withLock { state -> String? in
      state.done = min(total, state.done + count)
      let parts = isTerminal ? 200 : 10
      let share = state.done * parts / total
      guard share > state.shown else { return nil }
      defer { state.shown = share }
      return isTerminal ? bar(state.done) : share == 0 && state.done < total ? nil : plain(state.done)
    }
    if let line { FileHandle.standardError.write(Data(line.utf8)) }
  }

  /// Leaves the bar and goes to the next line.
  func end() {
    if isTerminal { FileHandle.standardError.write(Data("\n".utf8)) }
  }

  private func plain(_ done: Int) -> String { "\(title): \(done) of \(total)\n" }

  private func bar(_ done: Int) -> String {
    let filled = done * 30 / total
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
    let (seconds, _) = TimeSource.system.now().since(start).components
    let left = done > 0 ? seconds * Int64(total - done) / Int64(done) : 0
    let rest = done == total ? "\(seconds) s" : left < 90 ? "about \(left) s left" : "about \(left / 60) min left"
    return "\r\(title) [\(bar)] \(done) of \(total), \(rest)\u{1B}[K"
  }
}
