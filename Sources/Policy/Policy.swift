// The NoAI usage policies and the image policy of an instance: facts in, decision and reasons out. Pure.
