// Pages for people: portfolios, artworks, sign-in, upload, moderation. Every task works without scripts; there are
// none. Reads through Store, changes rows only through Operations.
