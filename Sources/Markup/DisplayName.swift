import Primitives

/// `name` as one line of text that can not reorder, hide or overrun what stands beside it.
///
/// Bidirectional controls, zero-width spaces and tag characters go: with them one name can pose as another (Trojan
/// Source). Joiners stay where a script or an emoji needs them, and marks stack no deeper than a language does.
package func displayName(_ name: String) -> String {
  let scalars = Array(prefix(name, bytes: Limits.displayNameBytes).unicodeScalars)
  var out = String.UnicodeScalarView()
  var owesSpace = false
  var marks = 0
  for (index, scalar) in scalars.enumerated() {
    if scalar.properties.isWhitespace || scalar == "\u{2028}" || scalar == "\u{2029}" {
      owesSpace = !out.isEmpty
      continue
    }
    let previous = index > 0 ? scalars[index - 1] : nil
    let next = index + 1 < scalars.count ? scalars[index + 1] : nil
    guard isShown(scalar, after: previous, before: next) else { continue }
    marks = isMark(scalar) ? marks + 1 : 0
    guard marks <= Limits.stackedMarks else { continue }
    if owesSpace { out.append(" ") }
    owesSpace = false
    out.append(scalar)
  }
  return String(String(out).prefix(Limits.displayNameCharacters))
}

private func isMark(_ scalar: Unicode.Scalar) -> Bool {
  scalar.properties.generalCategory == .nonspacingMark || scalar.properties.generalCategory == .enclosingMark
}

private func isShown(
  _ scalar: Unicode.Scalar, after previous: Unicode.Scalar?, before next: Unicode.Scalar?
) -> Bool {
  switch scalar.value {
  case 0x200c, 0x200d:
    // Persian and Indic words and emoji families need joiners, always between two characters outside ASCII.
    guard let previous, let next else { return false }
    return previous.value > 0x7f && next.value > 0x7f && !isFormat(previous) && !isFormat(next)
  case 0x115f, 0x1160, 0x3164, 0xffa0, 0x2800:
    // Letters and a symbol drawn as nothing.
    return false
  default:
    guard isPermitted(scalar), !isFormat(scalar) else { return false }
    switch scalar.properties.generalCategory {
    case .control, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
    default: return true
    }
  }
}

private func isFormat(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .format }
