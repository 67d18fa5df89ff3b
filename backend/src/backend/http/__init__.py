"""HTTP around the product: the server, the middleware, the fast path, requests, answers and their description."""
