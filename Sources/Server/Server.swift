// The composition root: settings to services, and the group that runs them.
