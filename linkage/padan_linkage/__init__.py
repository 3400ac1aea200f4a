"""Pure linkage code: schema, normalising, encoding, matching; no clock, socket or store."""
