"""What can be started: a server of one role, put together from its parts.

Start at :mod:`.unit` (the linkage unit) or :mod:`.provider` (direct mode); both are a
:class:`.serving.Server` on one data directory. They choose the concrete parts, :mod:`.serving`
those of both (store, clock, transport); the engine comes from ``app.py``, which alone imports this
room. :mod:`.maintenance` erases what has expired. May import ``services``, ``matching``,
``datasets``, ``direct``, ``releases``, ``admission``, ``store`` and ``base``.
"""
