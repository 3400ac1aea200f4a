"""People, families, foreigners and companies who do not exist, as they truly are."""
