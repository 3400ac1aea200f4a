"""Both sides of the protocol as steps that ask for effects and never touch the network.

:mod:`.session` is what both sides establish before data moves, :mod:`.jobs` the life of every
job. Then :mod:`.unit` (start at :mod:`.unit.confirming`), :mod:`.direct` (the same, without a third
party) and :mod:`.releases`. May import ``results``, ``home``, ``records`` and ``base``.
"""
