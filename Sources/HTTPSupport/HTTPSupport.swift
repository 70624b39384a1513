// What the three faces share: the request context, authentication, problems, parameters, policy headers and limits.
// Holds no route.
