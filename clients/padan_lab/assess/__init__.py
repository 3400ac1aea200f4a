"""Attacks on one's own encodings: what a curious linkage unit could do with exactly what it gets.

Start at :func:`assess`; the attacks are :mod:`~padan_lab.assess.attacks.colours` (FREQ, colour
refinement), :mod:`~padan_lab.assess.attacks.patterns` (PM),
:mod:`~padan_lab.assess.attacks.graph` (GMA), :mod:`~padan_lab.assess.attacks.rows` (SIG) and
:mod:`~padan_lab.assess.attacks.groups` (GRP). Spec 15. May import ``generate``, and
of the client its files and messages.
"""

from __future__ import annotations

from padan_lab.assess.assessing import Assessment, assess
from padan_lab.assess.report import as_json, render

__all__ = ["Assessment", "as_json", "assess", "render"]
