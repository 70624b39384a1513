// Every SQL statement and every migration of the product.
