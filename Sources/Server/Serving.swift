extension Services { package func serve() async throws {} }
