import Dispatch
import NIOPosix
import Primitives
import Testing
import Transport

@Suite struct SystemResolverTests {
  @Test func `the system's resolver knows this machine and no invented name`() async throws {
    let resolver = SystemResolver(group: MultiThreadedEventLoopGroup.singleton, threads: 1)
    let addresses = try await resolver.addresses(of: "localhost", within: .seconds(5))
    #expect(addresses.contains { $0 == Address("127.0.0.1") || $0 == Address("::1") })
    #expect(!addresses.contains(where: AddressPolicy().isPublic))
    await #expect(throws: TransportFailure.self) {
      try await resolver.addresses(of: "no-such-name.invalid", within: .seconds(5))
    }
    try await resolver.shutDown()
  }

  @Test func `a lookup that takes too long is given up while its thread still waits`() async throws {
    let gate = DispatchSemaphore(value: 0)
    let resolver = SystemResolver(group: MultiThreadedEventLoopGroup.singleton, threads: 1) { _ in
      gate.wait()
      return []
    }
    await #expect(throws: TransportFailure.timeout(.lookup)) {
      try await resolver.addresses(of: "slow.test", within: .milliseconds(10))
    }
    gate.signal()
    try await resolver.shutDown()
  }
}
