import Foundation

/// A drawing of curves or bars as SVG: for a page as wide as a telephone, readable without colour, with words a screen
/// reader finds.
package struct Chart: Sendable {
  package enum Scale: Sendable {
    case linear(ClosedRange<Double>)
    /// Both ends above 0.
    case logarithmic(ClosedRange<Double>)

    /// 0...1 from one end to the other, never outside.
    func place(_ value: Double) -> Double {
      switch self {
      case .linear(let range):
        let width = range.upperBound - range.lowerBound
        return width > 0 ? min(1, max(0, (value - range.lowerBound) / width)) : 0
      case .logarithmic(let range):
        let width = log(range.upperBound / range.lowerBound)
        return width > 0 ? min(1, max(0, log(max(value, range.lowerBound) / range.lowerBound) / width)) : 0
      }
    }
  }

  package struct Axis: Sendable {
    package var title: String
    package var scale: Scale
    package var marks: [(value: Double, label: String)]

    package init(_ title: String, _ scale: Scale, _ marks: [(value: Double, label: String)]) {
      self.title = title
      self.scale = scale
      self.marks = marks
    }
  }

  package struct Series: Sendable {
    package enum Form: Sendable {
      case curve
      /// From the foot to the value, between each point's place and the next one's.
      case bars
    }

    package var name: String
    package var form: Form
    package var points: [(x: Double, y: Double)]

    package init(_ name: String, _ form: Form, _ points: [(x: Double, y: Double)]) {
      self.name = name
      self.form = form
      self.points = points
    }
  }

  package var title: String
  package var x: Axis
  package var y: Axis
  package var series: [Series]
  /// Upright lines with a word beside them.
  package var lines: [(value: Double, label: String)] = []

  package init(title: String, x: Axis, y: Axis, series: [Series]) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
  }

  /// Told apart by people who see no red or green, too.
  private static let colours = ["#0b5fa5", "#c2500a", "#3d7a3a", "#7b3fa0"]
  private static let dashes = ["", "7 4", "2 3", "9 3 2 3"]
  private static let (left, top, width, height) = (62.0, 34.0, 332.0, 230.0)

  package var svg: String {
    let foot = Chart.top + Chart.height
    let legend = Double(series.count) * 18
    let total = foot + 48 + legend
    var out = [
      """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 \(text(total))" role="img" font-family="sans-serif" \
      font-size="12.5" fill="#222">
      """,
      "<title>\(escaped(title))</title>", "<rect width=\"420\" height=\"\(text(total))\" fill=\"#fff\"/>",
      "<text x=\"\(text(Chart.left))\" y=\"20\" font-size=\"15\" font-weight=\"bold\">\(escaped(title))</text>",
    ]
    out += grid(foot)
    for (index, item) in series.enumerated() {
      out.append(item.form == .curve ? curve(item, index) : bars(item, index, foot))
    }
    for (index, line) in lines.enumerated() {
      let place = across(line.value)
      out.append(
        """
        <line x1="\(text(place))" y1="\(text(Chart.top))" x2="\(text(place))" y2="\(text(foot))" stroke="#222" \
        stroke-dasharray="3 3"/>
        """)
      let isRight = place > Chart.left + Chart.width / 2
      out.append(
        label(line.label, place + (isRight ? -4 : 4), Chart.top + 14 + Double(index) * 15, isRight ? "end" : "start"))
    }
    for (index, item) in series.enumerated() {
      let line = foot + 56 + Double(index) * 18
      out.append(sample(index, item.form, line - 4))
      out.append(label(item.name, Chart.left + 36, line, "start"))
    }
    out.append("</svg>")
    return out.joined(separator: "\n") + "\n"
  }

  private func grid(_ foot: Double) -> [String] {
    var out: [String] = []
    for mark in x.marks {
      let place = across(mark.value)
      out.append(rule(place, Chart.top, place, foot, "#ddd"))
      out.append(label(mark.label, place, foot + 16, "middle"))
    }
    for mark in y.marks {
      let place = up(mark.value)
      out.append(rule(Chart.left, place, Chart.left + Chart.width, place, "#ddd"))
      out.append(label(mark.label, Chart.left - 6, place + 4, "end"))
    }
    out.append(rule(Chart.left, foot, Chart.left + Chart.width, foot, "#222"))
    out.append(rule(Chart.left, Chart.top, Chart.left, foot, "#222"))
    out.append(label(x.title, Chart.left + Chart.width / 2, foot + 35, "middle"))
    let middle = Chart.top + Chart.height / 2
    out.append(
      """
      <text transform="translate(13 \(text(middle))) rotate(-90)" text-anchor="middle">\(escaped(y.title))</text>
      """)
    return out
  }

  private func curve(_ item: Series, _ index: Int) -> String {
    let points = item.points.map { "\(text(across($0.x))),\(text(up($0.y)))" }.joined(separator: " ")
    return "<polyline points=\"\(points)\" fill=\"none\" \(stroke(index))/>"
  }

  private func bars(_ item: Series, _ index: Int, _ foot: Double) -> String {
    var path = ""
    for (point, next) in zip(item.points, item.points.dropFirst()) {
      let (start, end, height) = (across(point.x), across(next.x), up(point.y))
      path += "M\(text(start)) \(text(foot))V\(text(height))H\(text(end))V\(text(foot))Z"
    }
    return "<path d=\"\(path)\" fill=\"\(Chart.colours[index % 4])\" fill-opacity=\"0.35\" \(stroke(index))/>"
  }

  private func sample(_ index: Int, _ form: Series.Form, _ y: Double) -> String {
    if form == .curve {
      return "<path d=\"M\(text(Chart.left)) \(text(y))h28\" fill=\"none\" \(stroke(index))/>"
    }
    return """
      <rect x="\(text(Chart.left))" y="\(text(y - 6))" width="28" height="11" fill="\(Chart.colours[index % 4])" \
      fill-opacity="0.35" \(stroke(index))/>
      """
  }

  private func stroke(_ index: Int) -> String {
    let dash = Chart.dashes[index % 4]
    return "stroke=\"\(Chart.colours[index % 4])\" stroke-width=\"2\""
      + (dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\"")
  }

  private func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
    "<path d=\"M\(text(x1)) \(text(y1))L\(text(x2)) \(text(y2))\" stroke=\"\(colour)\" fill=\"none\"/>"
  }

  private func label(_ words: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
    """
    <text x="\(text(x))" y="\(text(y))" text-anchor="\(anchor)" stroke="#fff" stroke-width="3" \
    paint-order="stroke">\(escaped(words))</text>
    """
  }

  private func across(_ value: Double) -> Double { Chart.left + Chart.width * x.scale.place(value) }
  private func up(_ value: Double) -> Double { Chart.top + Chart.height * (1 - y.scale.place(value)) }

  /// A tenth of a unit is finer than any screen shows.
  private func text(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(format: "%.0f", tenths) : String(format: "%.1f", tenths)
  }

  private func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: "\"", with: "&quot;")
  }
}
