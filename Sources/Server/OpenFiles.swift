import Foundation
import Primitives

/// How many connections are taken at once. Each is a file, and the database needs its own: the rest of what this process
/// may open is for connections. The soft bound is raised to the hard one, since most systems begin with 1,024.
func openConnections() -> Int {
  var bound = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &bound) == 0 else { return Limits.openConnections }
  let wanted = min(bound.rlim_max, rlim_t(Limits.openFiles))
  if bound.rlim_cur < wanted {
    bound.rlim_cur = wanted
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &bound) == 0 else { return Limits.openConnections }
  }
  let files = Int(clamping: bound.rlim_cur)
  return max(Limits.openConnections, files - Limits.filesForTheRest)
}

extension Limits {
  static let openFiles = 65_536
  /// Database, media, deliveries and workers.
  static let filesForTheRest = 2_048
}
