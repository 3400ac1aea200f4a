"""The provider's server of direct mode: it answers without learning whom it was asked about."""
