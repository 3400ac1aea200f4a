"""The laboratory: generated people, the demonstration, attacks on encodings, measurements.

Nothing here runs at an agency, and nothing in ``padan_client`` imports it; its commands
(:mod:`.cli`) join ``padan`` by entry points. Start at :mod:`.demo.demonstration`; :mod:`.generate`
makes the people, :mod:`.assess` attacks, :mod:`.bench` measures. May import the client and the
linkage library; servers it starts as processes.
"""
