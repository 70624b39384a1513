// The composition root: settings become services, and one group runs them. The only target that reads the
// environment, and the only one that starts tasks.
