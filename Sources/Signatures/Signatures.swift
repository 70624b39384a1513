// HTTP signatures (draft-cavage-12, RFC 9421), digests and FEP-8b32 proofs. The only place that can make a `Verified`.
