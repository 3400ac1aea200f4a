"""What a party sees: calls, tables, features of rows. Start at :mod:`.transcript`."""
