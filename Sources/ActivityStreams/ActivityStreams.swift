// Reads ActivityStreams 2.0 documents and the extensions Atelier speaks, and writes them.
//
// Owns the shapes of the wire: what a peer may send instead of what the specification says, and what the strictest
// peer needs from us. Does no input or output, never decides, and must never know who is asking.
