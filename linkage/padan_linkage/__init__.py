"""Pure linkage code: schema, normalising, encoding, matching. No clock, socket, store or global randomness."""
