"""The parties' encoded tables at the unit: opened, filled, committed, changed and erased.

Start at :mod:`.lifecycle`; :mod:`.uploads` takes the rows in, :mod:`.deltas` makes a registry of an
older one and its changes, :mod:`.registries` says which one answers. May import ``admission``,
``store`` and ``base``, and knows nothing of matching: who wants to hear of a commit or an erasure
is handed in.
"""
