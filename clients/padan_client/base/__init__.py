"""What every other room stands on: errors with exit codes, two languages, files, effects.

Start at :mod:`.effects`: what a protocol step may ask of the world. Imports nothing of the client.
"""
