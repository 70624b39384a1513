import Primitives

/// One value in an XMP packet.
package struct XMPProperty: Hashable, Sendable {
  /// The namespace by its address, never by its prefix: packets may call it anything.
  package var namespace: String
  package var name: String
  package var value: String
  /// `xml:lang` of the value, if any.
  package var language: String?
  /// Whether the property belongs to the picture itself. What lies deeper may describe an ingredient or a past state.
  package var isTopLevel: Bool
}

/// The properties of an XMP packet (ISO 16684-1), from attribute and element form alike.
package struct XMPPacket: Sendable {
  package private(set) var properties: [XMPProperty] = []

  package init(reading bytes: some Collection<UInt8>) {
    var reading = XMPReading()
    reading.run(Array(bytes)[...])
    properties = reading.properties
  }

  package func values(_ namespace: String, _ name: String) -> [String] {
    properties.filter { $0.name == name && $0.namespace == namespace }.map(\.value)
  }

  /// The picture's own values, not those of an ingredient or a past state.
  package func ownValues(_ namespace: String, _ name: String) -> [String] {
    properties.filter { $0.isTopLevel && $0.name == name && $0.namespace == namespace }.map(\.value)
  }

  /// The picture's own value; of several languages the default one.
  package func value(_ namespace: String, _ name: String) -> String? {
    let own = properties.filter { $0.isTopLevel && $0.name == name && $0.namespace == namespace }
    return (own.first { $0.language == "x-default" } ?? own.first)?.value
  }
}

/// Namespaces by their registered addresses.
package enum XMPNamespace {
  package static let rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  package static let xml = "http://www.w3.org/XML/1998/namespace"
  package static let meta = "adobe:ns:meta/"
  package static let basic = "http://ns.adobe.com/xap/1.0/"
  package static let rights = "http://ns.adobe.com/xap/1.0/rights/"
  package static let event = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
  package static let dublinCore = "http://purl.org/dc/elements/1.1/"
  package static let photoshop = "http://ns.adobe.com/photoshop/1.0/"
  package static let exif = "http://ns.adobe.com/exif/1.0/"
  package static let tiff = "http://ns.adobe.com/tiff/1.0/"
  package static let plus = "http://ns.useplus.org/ldf/xmp/1.0/"
  package static let iptcCore = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
  package static let iptcExtension = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
  package static let aigc = "http://www.tc260.org.cn/ns/AIGC/1.0/"
}

private struct XMPReading {
  private struct Element {
    var name: String
    var namespace: String
    var local: String
    var bindings: [String: String]
    var language: String?
    var text = ""
    var isStructural: Bool
  }

  private(set) var properties: [XMPProperty] = []
  private var stack: [Element] = []
  private var textBytes = 0

  mutating func run(_ bytes: ArraySlice<UInt8>) {
    var scanner = XMLScanner(bytes)
    while let token = scanner.next(), properties.count < Limits.xmlProperties {
      switch token {
      case .open(let name, let attributes, let isEmpty):
        guard stack.count < Limits.xmlDepth else { return }
        open(name, attributes)
        if isEmpty { close() }
      case .close(let name):
        guard stack.last?.name == name else { return }
        close()
      case .text(let text):
        if let last = stack.indices.last { stack[last].text += text }
      }
    }
  }

  private mutating func open(_ name: String, _ attributes: [XMLScanner.Attribute]) {
    var bindings: [String: String] = [:]
    for attribute in attributes {
      if attribute.name == "xmlns" { bindings[""] = attribute.value }
      if attribute.name.hasPrefix("xmlns:") { bindings[String(attribute.name.dropFirst(6))] = attribute.value }
    }
    var element = Element(name: name, namespace: "", local: name, bindings: bindings, isStructural: false)
    (element.namespace, element.local) = resolve(name, bindings, isAttribute: false)
    element.isStructural = element.namespace == XMPNamespace.rdf || element.namespace == XMPNamespace.meta
    stack.append(element)
    for attribute in attributes where !attribute.name.hasPrefix("xmlns") { take(attribute, bindings) }
  }

  private mutating func take(_ attribute: XMLScanner.Attribute, _ bindings: [String: String]) {
    let (namespace, local) = resolve(attribute.name, bindings, isAttribute: true)
    switch namespace {
    case XMPNamespace.xml:
      if local == "lang", let last = stack.indices.last { stack[last].language = attribute.value }
    case XMPNamespace.rdf:
      if local == "resource", let last = stack.indices.last { stack[last].text = attribute.value }
    case "", XMPNamespace.meta: break
    default:
      let owners = stack.count { !$0.isStructural }
      add(XMPProperty(namespace: namespace, name: local, value: attribute.value, isTopLevel: owners == 0))
    }
  }

  private mutating func close() {
    guard let element = stack.popLast() else { return }
    let value = element.text.trimmed
    guard !value.isEmpty else { return }
    // Items of a bag, sequence or alternative belong to the property around them.
    let path = stack + [element]
    let owners = path.filter { !$0.isStructural }
    guard let owner = owners.last else { return }
    add(
      XMPProperty(
        namespace: owner.namespace, name: owner.local, value: value, language: element.language,
        isTopLevel: owners.count == 1))
  }

  private mutating func add(_ property: XMPProperty) {
    guard !property.value.isEmpty, properties.count < Limits.xmlProperties else { return }
    properties.append(property)
  }

  private func resolve(_ name: String, _ own: [String: String], isAttribute: Bool) -> (String, String) {
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let prefix = parts.count == 2 ? String(parts[0]) : ""
    let local = String(parts.last ?? "")
    if prefix == "xml" { return (XMPNamespace.xml, local) }
    // Attributes without a prefix have no namespace.
    if prefix.isEmpty, isAttribute { return ("", local) }
    if let namespace = own[prefix] { return (namespace, local) }
    for element in stack.reversed() {
      if let namespace = element.bindings[prefix] { return (namespace, local) }
    }
    return ("", local)
  }
}
