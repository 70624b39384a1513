import Logging
import Model
import Operations
import Persistence
import Policy
import Primitives
import Signatures
import Store
import Transport

/// Everything that receiving, resolving, composing and delivering share. Time, chance and the way out are values, so
/// that a test may own them.
package struct FederationEnvironment: Sendable {
  package let instance: Instance
  package let database: any Database
  package let client: GuardedClient
  package let keys: KeyRing
  package let ids: SnowflakeGenerator
  package let time: TimeSource
  package let random: RandomBytes
  package let log: Logger
  /// What gives scores here. Told with every score, since scores of two models can not be compared.
  package var detectorModel: DetectorIdentity?

  package init(
    instance: Instance, database: any Database, client: GuardedClient, keys: KeyRing, ids: SnowflakeGenerator,
    time: TimeSource, random: RandomBytes, log: Logger
  ) {
    self.instance = instance
    self.database = database
    self.client = client
    self.keys = keys
    self.ids = ids
    self.time = time
    self.random = random
    self.log = log
  }

  package struct DetectorIdentity: Hashable, Sendable {
    package var name: String
    package var version: String
    /// Of its file.
    package var digest: ContentDigest

    package init(name: String, version: String, digest: ContentDigest) {
      self.name = name
      self.version = version
      self.digest = digest
    }
  }

  /// For an operation that happens now.
  package var context: OperationContext { OperationContext(instance: instance, ids: ids, now: time.now()) }
}
