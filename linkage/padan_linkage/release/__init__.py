"""Releases: what one party publishes to the other whole, aggregates and reference lists.

Spec: ``proto/spec/70-releases.md``. Start at :mod:`.manifest`, which with :mod:`.envelope` is the
signed, sealed thing that travels; :mod:`.counting`, :mod:`.protecting` and :mod:`.aggregate` make
what an aggregate carries, :mod:`.reference` a reference list. May import ``crypto`` and ``direct``
(its manifest's form alone).
"""
