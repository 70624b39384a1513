import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import Model
import Primitives
import ServiceLifecycle
import UnixSignals

extension Services {
  /// Serves until a signal says stop: no new connections, requests under way finish, leases are given back, and the
  /// database closes last.
  package func serve() async throws {
    announce()
    let application = Application(
      router: try router(), server: .doored,
      configuration: ApplicationConfiguration(
        address: bindAddress, serverName: "Atelier",
        // A flood of idle ones, each closed after a minute, must not use up the files of the database.
        availableConnectionsDelegate: MaximumAvailableConnections(openConnections())),
      onServerRunning: { _ in openSocket() }, logger: log)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [.init(service: BackgroundWork(services: self)), .init(service: application)],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: log))
    do {
      try await group.run()
      try await close()
    } catch {
      try await close()
      throw error
    }
  }

  private var bindAddress: BindAddress {
    switch settings.listen {
    case .address(let host, let port): .hostname(host, port: port)
    case .unixSocket(let path): .unixDomainSocket(path: path)
    }
  }

  /// The proxy runs as somebody else and enters by the group; the folder of the socket says who is in it.
  private func openSocket() {
    guard case .unixSocket(let path) = settings.listen, chmod(path, 0o660) != 0 else { return }
    log.error("the proxy may not reach \(path): its mode could not be set")
  }

  private func announce() {
    log.notice("atelier \(Version.current) serves \(instance.base) on \(settings.listen)")
    if instance.isTrial { log.notice("this is a trial: it does not federate, and its database stays a trial for ever") }
    if let finding = privateNetworks { log.warning("\(finding.text)") }
    if let notice = detectorNotice { log.warning("\(notice)") }
  }
}

/// Everything that runs beside the requests: the job lanes, the deliveries, and the housekeeping.
package struct BackgroundWork: Service {
  let services: Services
  package init(services: Services) { self.services = services }

  package func run() async throws {
    await cancelWhenGracefulShutdown { await services.work() }
  }
}
