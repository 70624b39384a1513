import Primitives

/// A JUMBF superbox (ISO/IEC 19566-5): a label, what lies in it, and the superboxes inside.
struct JUMBFBox {
  /// The first four bytes of the type identifier as text: `c2pa`, `c2ma`, `c2cl`, `cbor`, `json`.
  var type: String
  var label: String
  var contents: [(type: String, data: ArraySlice<UInt8>)] = []
  var children: [JUMBFBox] = []

  /// The superboxes that follow one another in `bytes`.
  static func boxes(in bytes: ArraySlice<UInt8>) -> [JUMBFBox] {
    var budget = Limits.jumbfBoxes
    return boxes(in: bytes, depth: 0, budget: &budget)
  }

  private static func boxes(in bytes: ArraySlice<UInt8>, depth: Int, budget: inout Int) -> [JUMBFBox] {
    guard depth < Limits.jumbfDepth else { return [] }
    var found: [JUMBFBox] = []
    for part in parts(of: bytes, budget: &budget) where part.type == "jumb" {
      var inner = parts(of: part.data, budget: &budget)
      // The description box comes first: type identifier (16), toggles (1), then the label when toggle 2 is set.
      guard let description = inner.first, description.type == "jumd", let toggles = description.data.byte(16) else {
        continue
      }
      inner.removeFirst()
      let label = toggles & 2 == 0 ? "" : description.data.rest(from: 17).prefix { $0 != 0 }.text
      var box = JUMBFBox(type: description.data.prefix(4).text, label: label)
      box.contents = inner.filter { $0.type != "jumb" }
      box.children = boxes(in: part.data, depth: depth + 1, budget: &budget)
      found.append(box)
    }
    return found
  }

  private static func parts(of bytes: ArraySlice<UInt8>, budget: inout Int) -> [(type: String, data: ArraySlice<UInt8>)]
  {
    var found: [(type: String, data: ArraySlice<UInt8>)] = []
    var rest = bytes
    while budget > 0, let short = rest.number32(0), let type = rest.part(4, 4) {
      budget -= 1
      let head = short == 1 ? 16 : 8
      // 0 means to the end, 1 that a 64-bit length follows.
      guard let length = short == 0 ? rest.count : short == 1 ? rest.number64(8) : short, length >= head,
        let data = rest.part(head, length - head)
      else { break }
      found.append((type.text, data))
      rest = rest.rest(from: length)
    }
    return found
  }
}
