import HTTPSupport
import Testing

@Suite struct AddressKeyTests {
  @Test(arguments: [
    ("2001:db8::1", "2001:db8:0:0"), ("2001:db8::ffff:1:2:3", "2001:db8:0:0"), ("2001:DB8:1:2:3:4:5:6", "2001:db8:1:2"),
    ("::1", "0:0:0:0"), ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
  ])
  func `all addresses of one client count as one, however they are written`(address: String, key: String) {
    #expect(rateKey(address) == key)
  }

  @Test func `nobody is told from nobody`() { #expect(rateKey(nil) == "unknown") }
}
