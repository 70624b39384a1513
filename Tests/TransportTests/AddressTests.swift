import Primitives
import Testing
import Transport

@Suite struct AddressTests {
  @Test(arguments: [
    "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "169.254.169.254", "127.0.0.1",
    "127.255.255.254", "0.0.0.0", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
    "203.0.113.9", "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "::ffff:8.8.8.8",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "2001:10::1", "2001:20::1", "2001:2::1",
    "2001:db8::1", "3fff::1", "fec0::1", "fe80::1", "ff02::1", "fd00:ec2::254", "fc00::1", "100::1", "5f00::1",
    "4000::1",
  ])
  func `D7 a special address is never dialled`(text: String) throws {
    let address = try #require(Address(text))
    #expect(!AddressPolicy().permits(address, port: 443))
  }

  @Test(arguments: [
    "1.1.1.1", "45.0.0.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "169.253.1.1",
    "198.17.0.1", "198.20.0.1", "223.255.255.255", "192.0.1.1", "2606:4700::1111", "2a01:4f8::1", "2001:200::1",
    "2003::1",
  ])
  func `a public address is dialled`(text: String) throws {
    let address = try #require(Address(text))
    #expect(AddressPolicy().permits(address, port: 443))
    #expect(!AddressPolicy().permits(address, port: 25))
    #expect(AddressPolicy().permits(address, port: 8443))
  }

  @Test(arguments: [
    "0177.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.",
    "1..2.3", "", "fe80::1%lo", "1::2::3", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g",
    "1:2:3:4:5:6:7::8:9",
    "::1.2.3", "1.2.3.4::", "+1.2.3.4", ":::",
  ])
  func `what resolvers read in their own ways is no address`(text: String) {
    #expect(Address(text) == nil)
  }

  @Test func `an address is written so that it reads back`() throws {
    for text in ["1.2.3.4", "::", "2a01:4f8::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "1::"] {
      let address = try #require(Address(text))
      #expect(Address(address.description) == address)
    }
    #expect(Address("::ffff:1.2.3.4") == Address("::ffff:102:304"))
  }

  @Test func `an opened network is dialled and its neighbours are not`() throws {
    let policy = AddressPolicy(allowedPrivateNetworks: [
      try #require(CIDR("10.20.0.0/16")), try #require(CIDR("fd00:1::/32")), try #require(CIDR("127.0.0.1/32")),
      try #require(CIDR("fd77::1/128")),
    ])
    for text in ["10.20.255.1", "fd00:1:2::3", "127.0.0.1", "fd77::1"] {
      #expect(policy.permits(try #require(Address(text)), port: 8080))
    }
    for text in ["10.21.0.1", "fd00:2::1", "127.0.0.2", "fd77::2", "::ffff:10.20.0.1"] {
      #expect(!policy.permits(try #require(Address(text)), port: 8080))
    }
    #expect(CIDR("10.0.0.0/33") == nil)
    #expect(CIDR("10.0.0.0") == nil)
    #expect(CIDR("::/129") == nil)
    #expect(CIDR("0.0.0.0/0")?.contains(.v4(7)) == true)
    #expect(CIDR("::/0")?.contains(.v6(high: 7, low: 7)) == true)
  }
}
