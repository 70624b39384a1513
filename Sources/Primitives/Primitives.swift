// Primitives: values everyone shares, namely IRIs, hosts, identifiers, time, chance and JSON.
// Knows no protocol and no storage; time and chance are values that are handed in.
