import Foundation
import NIOCore
import NIOPosix
import Primitives

/// Turns names into addresses. Injected, so that tests own the Internet.
package protocol AddressResolver: Sendable {
  /// At least one address, in order of preference.
  func addresses(of name: String, within timeout: Duration) async throws(TransportFailure) -> [Address]
}

/// An address and a port to connect to.
package struct Endpoint: Hashable, Sendable {
  package let address: Address
  package let port: Int

  package init(address: Address, port: Int) {
    self.address = address
    self.port = port
  }
}

/// The last step before a socket, after the address policy has ruled. A test's dialler leads public-looking addresses
/// to loopback ports, so that the real policy is under test.
package protocol Dialer: Sendable {
  func destination(for endpoint: Endpoint) -> Endpoint
}

package struct DirectDialer: Dialer {
  package init() {}
  package func destination(for endpoint: Endpoint) -> Endpoint { endpoint }
}

/// The operating system's resolver, on threads of its own: `getaddrinfo` blocks for as long as a name server likes.
package final class SystemResolver: AddressResolver {
  private let threads: NIOThreadPool
  private let group: any EventLoopGroup
  private let look: @Sendable (String) throws -> [Address]

  package convenience init(group: any EventLoopGroup, threads count: Int = 16) {
    self.init(group: group, threads: count) { try SystemResolver.look(up: $0) }
  }

  /// `look` blocks its thread; tests hand in one that never ends.
  package init(group: any EventLoopGroup, threads count: Int, look: @escaping @Sendable (String) throws -> [Address]) {
    self.group = group
    self.look = look
    threads = NIOThreadPool(numberOfThreads: count)
    threads.start()
  }

  /// Call once, when no request is under way.
  package func shutDown() async throws { try await threads.shutdownGracefully() }

  package func addresses(of name: String, within timeout: Duration) async throws(TransportFailure) -> [Address] {
    let loop = group.any()
    let promise = loop.makePromise(of: [Address].self)
    // The thread stays with the name server until that gives up; only the caller stops waiting.
    let timer = loop.scheduleTask(in: TimeAmount(timeout)) { promise.fail(TransportFailure.timeout(.lookup)) }
    let lookup = threads.runIfActive(eventLoop: loop) { [look] in try look(name) }
    lookup.whenComplete { result in
      timer.cancel()
      promise.completeWith(result)
    }
    do {
      return try await promise.futureResult.get()
    } catch let failure as TransportFailure {
      throw failure
    } catch {
      throw .resolution(.temporary)
    }
  }

  private static func look(up name: String) throws(TransportFailure) -> [Address] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(name, nil, &hints, &list)
    defer { if let list { freeaddrinfo(list) } }
    guard code == 0 else { throw .resolution(code == EAI_NONAME ? .notFound : .temporary) }
    var addresses: [Address] = []
    var next = list
    while let info = next?.pointee {
      next = info.ai_next
      if let pointer = info.ai_addr, let address = address(at: pointer, family: info.ai_family),
        !addresses.contains(address), addresses.count < 32
      {
        addresses.append(address)
      }
    }
    guard !addresses.isEmpty else { throw .resolution(.notFound) }
    return addresses
  }

  private static func address(at pointer: UnsafeMutablePointer<sockaddr>, family: Int32) -> Address? {
    switch family {
    case AF_INET:
      pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        .v4(UInt32(bigEndian: $0.pointee.sin_addr.s_addr))
      }
    case AF_INET6:
      pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
        withUnsafeBytes(of: address.pointee.sin6_addr) { Address(bytes: Array($0)) }
      }
    default: nil
    }
  }
}

extension TimeAmount {
  /// Held at the range's end; negative is zero.
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let clamped = min(max(seconds, 0), 1_000_000_000)
    self = .nanoseconds(clamped * 1_000_000_000 + max(0, attoseconds / 1_000_000_000))
  }
}
