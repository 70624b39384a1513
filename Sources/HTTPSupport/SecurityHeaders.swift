import HTTPTypes
import Hummingbird

/// What every answer says to browsers, unless its handler said something stricter.
package struct SecurityHeaders: RouterMiddleware {
  private let isSecure: Bool

  package init(isSecure: Bool) { self.isSecure = isSecure }

  /// No script at all, no framing, forms only to ourselves.
  package static let contentSecurityPolicy = """
    default-src 'none'; img-src 'self' data:; style-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'
    """

  package func handle(
    _ request: Request, context: FaceContext, next: (Request, FaceContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    func set(_ name: String, _ value: String) {
      if let name = HTTPField.Name(name), response.headers[name] == nil { response.headers[name] = value }
    }
    set("content-security-policy", SecurityHeaders.contentSecurityPolicy)
    set("x-content-type-options", "nosniff")
    // For readers of pages that know no policy.
    set("x-frame-options", "DENY")
    set("referrer-policy", "same-origin")
    set("cross-origin-opener-policy", "same-origin")
    set("permissions-policy", "camera=(), geolocation=(), microphone=()")
    if isSecure { set("strict-transport-security", "max-age=63072000") }
    return response
  }
}
