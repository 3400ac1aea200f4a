"""The games, a module each. Start at :mod:`.decoy`; all are played on :mod:`.stage`."""
