"""Direct mode at the provider: evaluates blinded elements, and hands out label tables.

Start at :mod:`.lists`; :mod:`.label_tables` are the published tables, :mod:`.seeds` the keys'
seeds, :mod:`.evaluators` the processes (:mod:`.worker`) that evaluate. Nothing here can make or
open a label. May import ``admission``, ``store`` and ``base``.
"""
