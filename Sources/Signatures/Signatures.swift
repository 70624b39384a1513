// HTTP signatures (draft-cavage-12, RFC 9421), digests, FEP-8b32 proofs and the keys behind them. The only place that
// can make a `Verified`. Pure: it fetches no key, reads no clock and knows no actor; whose key a key id is, and whether
// that actor may say what the body says, is decided above.
