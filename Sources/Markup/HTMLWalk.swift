@preconcurrency import CLibXML
import Primitives

// One call readies libxml2's globals for many threads; after it each parser is its own.
private let parserIsReady: Bool = {
  xmlInitParser()
  return true
}()

func prepareParser() -> Bool { parserIsReady }

/// One reading and one writing of `html`; nil when libxml2 stops before the end, which it does past 256 open elements.
func sanitizingPass(_ html: String, links: LinkTrust) -> String? {
  guard prepareParser(), let context = htmlNewParserCtxt() else { return nil }
  defer { htmlFreeParserCtxt(context) }
  let (source, isCut) = bounded(html)
  // Wrapped, so that bare text has a body to be in and no paragraph is invented around it.
  var bytes = Array("<html><body>\(source)".utf8)
  let options =
    HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue
    | HTML_PARSE_NONET.rawValue | HTML_PARSE_IGNORE_ENC.rawValue
  let count = Int32(bytes.count)
  bytes.append(0)
  let document = bytes.withUnsafeBufferPointer { buffer in
    buffer.withMemoryRebound(to: CChar.self) {
      htmlCtxtReadMemory(context, $0.baseAddress, count, nil, "UTF-8", Int32(options))
    }
  }
  guard let document else { return source.trimmingBlanks().isEmpty ? "" : nil }
  defer { xmlFreeDoc(document) }
  guard context.pointee.disableSAX == 0 else { return nil }
  var writer = HTMLWriter(links: links)
  if let root = xmlDocGetRootElement(document) { walk(from: root, into: &writer) }
  return writer.finish(isCut: isCut)
}

/// The source without what XML forbids, within the limit and never ending inside a tag.
///
/// A tag past its own limit is left out: libxml2 compares each attribute with all before it, so one tag of 14,000
/// attributes costs most of a second.
private func bounded(_ html: String) -> (String, isCut: Bool) {
  var clean: [Unicode.Scalar] = []
  var length = 0
  var isCut = false
  var tagStart: Int?
  var isSkipping = false
  for scalar in html.unicodeScalars {
    length += UTF8.width(scalar)
    if length > Limits.markupBytes {
      isCut = true
      break
    }
    guard isPermitted(scalar) else { continue }
    if isSkipping {
      isSkipping = scalar != ">"
      continue
    }
    if clean.last == "<", scalar.properties.isAlphabetic { tagStart = clean.count - 1 }
    clean.append(scalar)
    if scalar == ">" { tagStart = nil }
    if let start = tagStart, clean.count - start > Limits.tagScalars {
      clean.removeSubrange(start...)
      tagStart = nil
      isSkipping = true
    }
  }
  if isCut, let open = clean.lastIndex(of: "<"), !clean[open...].contains(">") { clean.removeSubrange(open...) }
  var text = String.UnicodeScalarView()
  text.append(contentsOf: clean)
  return (String(text), isCut)
}

/// Depth first without recursion, so that no nesting reaches the stack.
private func walk(from root: xmlNodePtr, into writer: inout HTMLWriter) {
  var node: xmlNodePtr? = root
  while let current = node {
    let entered = enter(current, into: &writer)
    if entered, let child = current.pointee.children {
      node = child
      continue
    }
    if entered { writer.leave() }
    var place = current
    while place != root, place.pointee.next == nil, let parent = place.pointee.parent {
      writer.leave()
      place = parent
    }
    node = place == root ? nil : place.pointee.next
  }
}

/// Writes what opens `node`; true when it is an element whose children are to be visited.
private func enter(_ node: xmlNodePtr, into writer: inout HTMLWriter) -> Bool {
  switch node.pointee.type {
  case XML_TEXT_NODE:
    if let content = node.pointee.content { writer.text(String(cString: content)) }
    return false
  case XML_ELEMENT_NODE:
    guard let name = node.pointee.name else { return false }
    let element = String(cString: name).lowercased()
    guard !AllowList.dropped.contains(element) else { return false }
    writer.enter(element, attributes: attributes(of: node))
    return true
  default:
    // Comments, processing instructions, raw text of scripts, and entities libxml2 does not know.
    return false
  }
}

private func attributes(of node: xmlNodePtr) -> [String: String] {
  var attributes: [String: String] = [:]
  var attribute = node.pointee.properties
  while let current = attribute {
    if let name = current.pointee.name {
      let key = String(cString: name).lowercased()
      if AllowList.attributes.contains(key), attributes[key] == nil { attributes[key] = value(of: current) }
    }
    attribute = current.pointee.next
  }
  return attributes
}

private func value(of attribute: xmlAttrPtr) -> String {
  guard let text = xmlNodeListGetString(attribute.pointee.doc, attribute.pointee.children, 1) else { return "" }
  defer { xmlFree(text) }
  return String(cString: text)
}
