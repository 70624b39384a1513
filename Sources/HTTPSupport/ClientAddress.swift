import HTTPTypes
import Hummingbird

/// The address limits count by. Only a proxy on this machine, on loopback or a Unix socket, is believed, and of what it
/// says only the last element, which it wrote itself: the others came from the client (CVE-2024-34535).
package func clientAddress(_ request: Request, _ context: FaceContext) -> String? {
  let peer = context.remoteAddress?.ipAddress
  guard peer == nil || peer == "127.0.0.1" || peer == "::1", let name = HTTPField.Name("x-forwarded-for"),
    let forwarded = request.headers[values: name].last
  else { return peer }
  let last = forwarded.split(separator: ",").last.map { $0.filter { $0 != " " } } ?? ""
  return last.isEmpty || last.utf8.count > 64 ? peer : String(last)
}
