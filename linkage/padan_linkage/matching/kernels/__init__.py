"""The inner loops: filters side by side, tiles of pairs, what is under a screen.

Start at :mod:`.kernel`, which a pass sweeps with.
"""
