"""What can be started: a server of one role, put together from its parts.

Start at :mod:`.unit` (the linkage unit) or :mod:`.provider` (direct mode); both are a
:class:`.serving.Server` on one data directory. These two modules alone choose concrete parts, and
nothing but ``app.py`` imports them. :mod:`.maintenance` erases what has expired.
"""
