@preconcurrency import CLibXML
import Primitives

/// An element of an XML document, with its namespaces resolved.
package struct XMLElement: Hashable, Sendable {
  package struct Attribute: Hashable, Sendable {
    /// Empty for an attribute without a prefix.
    package let namespace: String
    package let name: String
    package let value: String
  }

  package enum Child: Hashable, Sendable {
    case element(XMLElement)
    case text(String)
  }

  package let namespace: String
  package let name: String
  package internal(set) var attributes: [Attribute]
  package internal(set) var children: [Child]

  package var elements: [XMLElement] {
    children.compactMap { child in
      if case .element(let element) = child { return element }
      return nil
    }
  }

  /// The text directly in this element.
  package var text: String {
    children.reduce(into: "") { if case .text(let text) = $1 { $0 += text } }
  }

  package func attribute(_ name: String, namespace: String = "") -> String? {
    attributes.first { $0.name == name && $0.namespace == namespace }?.value
  }

  package func first(_ name: String, namespace: String) -> XMLElement? {
    elements.first { $0.name == name && $0.namespace == namespace }
  }

  /// Every element below this one with that name, in document order.
  package func descendants(_ name: String, namespace: String) -> [XMLElement] {
    elements.flatMap { element in
      (element.name == name && element.namespace == namespace ? [element] : [])
        + element.descendants(name, namespace: namespace)
    }
  }
}

package enum XMLFailure: Error, Hashable, Sendable {
  case tooLarge, depth, syntax
  /// A document type or an entity: the way to expansion bombs and to other people's files.
  case doctype
  case encoding

  package var code: String {
    switch self {
    case .tooLarge: "xml.too_large"
    case .depth: "xml.depth"
    case .syntax: "xml.syntax"
    case .doctype: "xml.doctype"
    case .encoding: "xml.encoding"
    }
  }
}

/// Reads one XML document in UTF-8 without DTD, entities or network, and within `Limits`.
package enum XMLReading {
  package static func element(
    of bytes: some Sequence<UInt8>, limit: Int = Limits.xmlBytes
  ) throws(XMLFailure) -> XMLElement {
    let input = Array(bytes)
    guard input.count <= limit else { throw .tooLarge }
    // Another encoding could hide a document type from the check below.
    guard String(validating: input, as: UTF8.self) != nil, !input.contains(0) else { throw .encoding }
    guard !containsDocumentType(input) else { throw .doctype }
    guard prepareParser() else { throw .syntax }
    let options = XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
    let opened = input.withUnsafeBufferPointer { buffer -> Result<XMLElement, XMLFailure> in
      buffer.withMemoryRebound(to: CChar.self) { characters in
        guard
          let reader = xmlReaderForMemory(
            characters.baseAddress, Int32(clamping: characters.count), nil, "UTF-8", Int32(options))
        else { return .failure(.syntax) }
        defer { xmlFreeTextReader(reader) }
        return readTree(reader)
      }
    }
    return try opened.get()
  }

  private static func containsDocumentType(_ input: [UInt8]) -> Bool {
    let marks = [Array("<!DOCTYPE".utf8), Array("<!ENTITY".utf8)]
    var index = 0
    while let open = input[index...].firstIndex(of: UInt8(ascii: "<")) {
      if marks.contains(where: { input[open...].starts(with: $0) }) { return true }
      index = open + 1
    }
    return false
  }

  private static func readTree(_ reader: xmlTextReaderPtr) -> Result<XMLElement, XMLFailure> {
    var open: [XMLElement] = []
    var root: XMLElement?
    var nodes = 0
    func close() {
      guard let done = open.popLast() else { return }
      if open.isEmpty { root = done } else { open[open.count - 1].children.append(.element(done)) }
    }
    while true {
      let result = xmlTextReaderRead(reader)
      if result == 0 { break }
      guard result == 1 else { return .failure(.syntax) }
      nodes += 1
      guard nodes <= Limits.xmlNodes else { return .failure(.tooLarge) }
      switch xmlTextReaderNodeType(reader) {
      case Int32(XML_READER_TYPE_ELEMENT.rawValue):
        guard open.count < Limits.xmlDepth else { return .failure(.depth) }
        let isEmpty = xmlTextReaderIsEmptyElement(reader) == 1
        open.append(startElement(reader))
        if isEmpty { close() }
      case Int32(XML_READER_TYPE_END_ELEMENT.rawValue): close()
      case Int32(XML_READER_TYPE_TEXT.rawValue), Int32(XML_READER_TYPE_CDATA.rawValue),
        Int32(XML_READER_TYPE_SIGNIFICANT_WHITESPACE.rawValue):
        if !open.isEmpty { open[open.count - 1].children.append(.text(string(xmlTextReaderConstValue(reader)))) }
      case Int32(XML_READER_TYPE_DOCUMENT_TYPE.rawValue), Int32(XML_READER_TYPE_ENTITY_REFERENCE.rawValue):
        return .failure(.doctype)
      default: break
      }
    }
    guard let root else { return .failure(.syntax) }
    return .success(root)
  }

  private static func startElement(_ reader: xmlTextReaderPtr) -> XMLElement {
    var element = XMLElement(
      namespace: string(xmlTextReaderConstNamespaceUri(reader)), name: string(xmlTextReaderConstLocalName(reader)),
      attributes: [], children: [])
    while xmlTextReaderMoveToNextAttribute(reader) == 1 {
      guard xmlTextReaderIsNamespaceDecl(reader) != 1 else { continue }
      element.attributes.append(
        XMLElement.Attribute(
          namespace: string(xmlTextReaderConstNamespaceUri(reader)), name: string(xmlTextReaderConstLocalName(reader)),
          value: string(xmlTextReaderConstValue(reader))))
    }
    xmlTextReaderMoveToElement(reader)
    return element
  }

  private static func string(_ text: UnsafePointer<xmlChar>?) -> String {
    text.map { String(cString: $0) } ?? ""
  }
}
