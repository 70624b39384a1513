// The published documents of the vocabulary, compiled in: what is served, what is embedded and what is read here are the same file.
