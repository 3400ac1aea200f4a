"""Classifiers, and what their success amounts to. Start at :mod:`.contest`."""
