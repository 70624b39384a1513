// Every state change of the product, each one function on a write transaction. Knows no protocol and no network.
