// Hostile HTML and XML in, safe HTML and readings out, through libxml2. Never fetches.
