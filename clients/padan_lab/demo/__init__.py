"""The demonstration: one linkage unit and two agencies as separate processes on loopback.

Start at :mod:`.demonstration`; :mod:`.deployment` sets the scene, :mod:`.score` says how right the
codes were. May import ``generate``; the client's commands it runs as an agency would.
"""
