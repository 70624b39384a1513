// Pages for people: portfolios, artworks, sign-in, upload. Works without scripts.
