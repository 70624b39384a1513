import Federation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Primitives

extension FederationFace {
  /// Open to everybody, scripts of other sites included, and in a trial too: they say that it does not federate.
  func addDiscovery(to router: some RouterMethods<FaceContext>) {
    router.get("/.well-known/webfinger") { request, _ in
      guard let resource = request.uri.queryParameters["resource"].flatMap({ percentDecoded($0, plusIsSpace: false) })
      else { throw Problem(.badRequest, "webfinger.resource", "The resource parameter is missing.") }
      switch try await self.discovery.webFinger(resource) {
      case .found(let json): return self.shared(.json(json, type: Discovery.webFingerType))
      case .unknown: throw Problem.notFound
      case .gone: throw Problem(.gone, "account.gone", "This account is no longer here.")
      case .malformed: throw Problem(.badRequest, "webfinger.resource", "The resource is no account and no address.")
      }
    }
    router.get("/.well-known/host-meta") { _, _ in
      self.shared(.text(self.discovery.hostMetaXML, type: Discovery.hostMetaType))
    }
    router.get("/.well-known/host-meta.json") { _, _ in self.shared(.json(self.discovery.hostMetaJSON)) }
    router.get("/.well-known/nodeinfo") { _, _ in self.shared(.json(self.discovery.nodeInfoLinks)) }
    router.get("/nodeinfo/{version}") { _, context in
      try await self.nodeInfo(try context.parameters.require("version"))
    }
    // Pixelfed's app asks here.
    router.get("/api/nodeinfo/2.0.json") { _, _ in try await self.nodeInfo("2.0") }
  }

  private func nodeInfo(_ version: String) async throws -> Response {
    let name = version.hasSuffix(".json") ? String(version.dropLast(5)) : version
    guard let (json, type) = try await discovery.nodeInfo(name) else { throw Problem.notFound }
    return shared(.json(json, type: type))
  }

  private func shared(_ response: Response) -> Response {
    var response = response
    response.headers[.accessControlAllowOrigin] = "*"
    response.headers[.cacheControl] = "public, max-age=60"
    return response
  }
}
