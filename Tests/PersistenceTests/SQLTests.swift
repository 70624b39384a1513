import Persistence
import Primitives
import Testing

private enum Visibility: String, SQLConvertible { case `public`, followers }

@Suite struct SQLTests {
  @Test func `values become numbered placeholders in order of appearance`() {
    let name: String? = nil
    let sql: SQL = "UPDATE t SET a = \(1), b = \("x"), c = \(name), d = \(true) WHERE e = \(Visibility.followers)"
    #expect(sql.text == "UPDATE t SET a = $1, b = $2, c = $3, d = $4 WHERE e = $5")
    #expect(sql.values == [.integer(1), .text("x"), .null, .boolean(true), .text("followers")])
  }

  @Test func `every kind of value that tables hold can be bound`() throws {
    struct Thing {}
    let iri = try #require(IRI("https://a.example/b"))
    let host = try #require(Host("a.example"))
    let sql: SQL = """
      \(Int64(1)) \(2) \("s") \(false) \(0.5) \([7] as [UInt8]) \(Timestamp(milliseconds: 9)) \
      \(ID<Thing>(rawValue: 4)) \(iri) \(host)
      """
    #expect(
      sql.values == [
        .integer(1), .integer(2), .text("s"), .boolean(false), .real(0.5), .blob([7]), .integer(9), .integer(4),
        .text("https://a.example/b"), .text("a.example"),
      ])
  }

  @Test func `a fragment is renumbered and may hold values and lists of its own`() {
    let inner: SQL = "x = \(10) AND y IN \(in: [1, 2])"
    let sql: SQL = "SELECT \(0) WHERE \(fragment: inner) OR \(fragment: inner) LIMIT \(5)"
    #expect(sql.text == "SELECT $1 WHERE x = $2 AND y IN ($3, $4) OR x = $5 AND y IN ($6, $7) LIMIT $8")
    #expect(sql.values.count == 8)
    #expect(sql.values.last == .integer(5))
    let sum = ("a \(1)" as SQL) + " b \(2)"
    #expect(sum.text == "a $1 b $2")
    #expect(sum == "a \(1) b \(2)")
  }

  @Test func `lists fill up to a power of two so that the statement cache stays small`() {
    let texts = Set((1...64).map { count -> String in ("\(in: Array(1...count))" as SQL).text })
    #expect(texts.count == 7)
    #expect(("\(in: [4, 5, 6])" as SQL).values == [.integer(4), .integer(5), .integer(6), .integer(6)])
  }

  @Test func `however a statement is put together its placeholders count up and match its values`() {
    var seed: UInt64 = 0x9e37_79b9_7f4a_7c15
    func roll(_ sides: UInt64) -> UInt64 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (seed >> 33) % sides
    }
    var fragments: [SQL] = ["TRUE", "\(1)", "a = \("v") AND b IN \(in: [1, 2, 3])"]
    for _ in 0..<500 {
      let left = fragments[Int(roll(UInt64(fragments.count)))]
      let right = fragments[Int(roll(UInt64(fragments.count)))]
      let made: SQL =
        switch roll(4) {
        case 0: left + right
        case 1: "(\(fragment: left) AND \(fragment: right))"
        case 2: "\(in: (0..<Int(roll(9))).map { $0 }) \(fragment: right)"
        default: "\(fragment: left) = \(Int(roll(100)))"
        }
      if made.values.count < 200 { fragments.append(made) }
      let numbers = made.text.split(separator: "$", omittingEmptySubsequences: false).dropFirst().map { part in
        Int(String(part.prefix { $0.isNumber }))
      }
      #expect(numbers == Array(1...max(1, made.values.count)).prefix(made.values.count).map { $0 })
    }
  }
}
