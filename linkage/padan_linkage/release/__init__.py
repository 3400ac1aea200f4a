"""Releases: what one party publishes to the other whole, aggregates and reference lists.

Spec: ``proto/spec/70-releases.md``. :mod:`.manifest` and :mod:`.envelope` are the signed, sealed
thing that travels; :mod:`.counting`, :mod:`.protecting` and :mod:`.aggregate` make an aggregate of
it; :mod:`.reference` a reference list.
"""
