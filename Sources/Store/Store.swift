// Every SQL statement and every migration of the product, as extensions on the transactions of `Persistence`,
// grouped by aggregate. Nothing here decides; nothing above here writes SQL.

import Persistence

/// Every migration in order. A published one is never edited.
package let migrations: [Migration] = [
  .foundation,
  .social,
  .policyExchange,
  .daily,
  .people,
  .assessmentExchange,
  .streaming,
  .relays,
  .threads,
  .joining,
  .pushing,
]
