"""What every other room stands on: the domain's types, errors, settings, clock, log, metrics.

Start at :mod:`.model`. Imports nothing of the server.
"""
