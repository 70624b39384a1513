// Receiving, resolving, composing and delivering ActivityPub. Knows no HTTP server.
