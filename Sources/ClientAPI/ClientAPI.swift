// The Mastodon client API face: decode, one read or one operation, encode.
