// Charter: what an artist permits, and what an instance does with a picture. Both are values in and values out: this
// target reads no clock, no file and no network, knows no table and no peer, and imports nothing but Primitives.
// `UsagePolicy` is the artist's side (specification: Vocab/README.md); `PolicyDocument` is the instance's side.
