"""What an officer gets: the table of codes, controls, corrections, the signed minutes.

Start at :mod:`.table`. May import ``home``, ``records`` and ``base``.
"""
