"""Cover people: records of nobody, drawn so that the linkage unit cannot tell them from people.

Start at :func:`with_cover`; :mod:`.newcomers` says how likely a new person shares a value with
those who are there, and everything is drawn by it. Spec: ``proto/spec/11-cover.md``. May import
``crypto``, ``normalise`` and ``schema``.
"""

from padan_linkage.cover.drawing import draw_people, joined, with_cover
from padan_linkage.cover.traffic import Cover, Decoys, cover_traffic

__all__ = ["Cover", "Decoys", "cover_traffic", "draw_people", "joined", "with_cover"]
