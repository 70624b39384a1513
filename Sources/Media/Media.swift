// Uploads and remote pictures: stored by digest, analysed in throw-away workers, decided by policy.
