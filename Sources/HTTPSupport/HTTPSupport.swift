// What the three faces share: request context, authentication, problems, policy headers, limits.
