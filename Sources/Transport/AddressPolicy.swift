import Primitives

/// Which addresses and ports may be dialled.
///
/// IPv6 is an allow-list: deny-lists of addresses have leaked again and again (`::`, NAT64, 6to4, mapped IPv4;
/// GHSA-vwhj-3g83-v276, CVE-2026-50131). IPv4 is everything but the IANA special-purpose registry.
package struct AddressPolicy: Sendable {
  /// Networks an administrator opened, in the configuration file only.
  package let allowedPrivateNetworks: [CIDR]

  package init(allowedPrivateNetworks: [CIDR] = []) { self.allowedPrivateNetworks = allowedPrivateNetworks }

  package func permits(_ address: Address, port: Int) -> Bool {
    permits(port: port) && (isPublic(address) || isAllowedPrivate(address))
  }

  package func isAllowedPrivate(_ address: Address) -> Bool {
    allowedPrivateNetworks.contains { $0.contains(address) }
  }

  package func isPublic(_ address: Address) -> Bool {
    switch address {
    case .v4: !AddressPolicy.specialIPv4.contains { $0.contains(address) }
    case .v6(let high, _): high >> 61 == 1 && !AddressPolicy.specialIPv6.contains { $0.contains(address) }
    }
  }

  package func permits(port: Int) -> Bool {
    (1...65_535).contains(port) && !AddressPolicy.refusedPorts.contains(port)
  }

  private static let specialIPv4 = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    // Azure answers its machines' metadata at this address, which is public on paper.
    "168.63.129.16/32",
  ].compactMap { CIDR($0) }

  /// Inside 2000::/3: IETF protocol assignments (Teredo, ORCHID, benchmarking), documentation, 6to4, AS112.
  private static let specialIPv6 = [
    "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
  ].compactMap { CIDR($0) }

  /// The Fetch standard's bad ports, which speak line protocols that a request can be smuggled into, and the usual
  /// ports of databases, caches and cluster controllers, which nobody federates on.
  private static let refusedPorts: Set<Int> = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
    111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376,
    2379, 2380, 3306, 3659, 4045, 4190, 5060, 5061, 5432, 5984, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 9042, 9200, 9300, 10_080, 10_250, 11_211, 27_017,
  ]
}

/// What a host name is before any resolver has seen it.
enum HostKind: Equatable {
  case literal(Address)
  case name
  /// A name of a local network, dialled only into allowed private networks.
  case localName
  /// Never dialled: hidden services, and numbers that resolvers read as addresses in their own ways.
  case refused

  init(_ host: Host) {
    let name = host.name
    if name.hasPrefix("[") {
      self = Address(String(name.dropFirst().dropLast())).map { .literal($0) } ?? .refused
      return
    }
    let labels = name.split(separator: ".")
    guard let last = labels.last else {
      self = .refused
      return
    }
    // The URL standard's "ends in a number": such a host is an address or nothing.
    if last.utf8.allSatisfy({ (48...57).contains($0) }) || last.hasPrefix("0x") {
      self = Address(name).map { .literal($0) } ?? .refused
    } else if ["onion", "i2p", "invalid"].contains(last) {
      self = .refused
    } else if labels.count == 1 || ["local", "internal", "localhost", "lan", "home"].contains(last)
      || name.hasSuffix(".home.arpa")
    {
      self = .localName
    } else {
      self = .name
    }
  }
}
