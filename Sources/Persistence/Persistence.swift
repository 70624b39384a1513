// `Database`, `SQL`, `Row` and the SQLite driver. Holds no query of the product.
