// Reads ActivityStreams 2.0 documents and the extensions Atelier speaks, and writes them. Does no input or output, and never decides.
