// Values everyone shares: IRIs, hosts, identifiers, time, JSON. Knows no protocol, no storage and no clock of its own.
