import Markup
import Primitives
import Testing

@Suite struct XMLReadingTests {
  private func failure(_ xml: [UInt8]) -> XMLFailure? {
    do {
      _ = try XMLReading.element(of: xml)
      return nil
    } catch { return error }
  }

  @Test func `namespaces, attributes and text are read`() throws {
    let xml = """
      <?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="urn:rdf"><rdf:Description plus:a="1 &lt; 2"
      b="c" xmlns:plus="urn:plus"><plus:d>text<![CDATA[<&]]></plus:d></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>
      """
    let root = try XMLReading.element(of: Array(xml.utf8))
    #expect(root.name == "xmpmeta" && root.namespace == "adobe:ns:meta/")
    let description = try #require(root.descendants("Description", namespace: "urn:rdf").first)
    #expect(description.attribute("a", namespace: "urn:plus") == "1 < 2")
    #expect(description.attribute("b") == "c")
    #expect(description.attributes.count == 2)
    #expect(description.first("d", namespace: "urn:plus")?.text == "text<&")
  }

  @Test(arguments: [
    ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", XMLFailure.doctype),
    ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", .doctype),
    ("<a>&b;</a>", .syntax), ("<a><b></a>", .syntax), ("", .syntax), ("<a/><b/>", .syntax),
    (String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100), .depth),
    (String(repeating: "<a>", count: 100_000), .depth), (String(repeating: " ", count: Limits.xmlBytes + 1), .tooLarge),
  ])
  func `what could expand, escape or overrun is refused`(xml: String, expected: XMLFailure) {
    #expect(failure(Array(xml.utf8)) == expected)
  }

  @Test func `another encoding can not hide a document type`() {
    #expect(
      failure([0xff, 0xfe] + "<!DOCTYPE a><a/>".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }) == .encoding)
    #expect(failure(Array("<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADw-!DOCTYPE a+AD4-<a/>".utf8)) == .syntax)
  }

  @Test func `arbitrary bytes are read or refused`() {
    var chance = SeededGenerator(state: 3)
    let pieces = [
      "<a", " b='c'", ">", "</a>", "<!--", "-->", "&amp;", "&#0;", "text", "<?x", "?>", "<![CDATA[", "]]>", "x:y",
      "\u{0}",
    ]
    for _ in 0..<2_000 {
      let xml = (0..<15).map { _ in pieces.randomElement(using: &chance) ?? "" }.joined()
      _ = failure(Array(xml.utf8))
    }
  }
}
