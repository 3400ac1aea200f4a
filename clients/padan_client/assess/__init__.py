"""Attacks on one's own encodings: what a curious linkage unit could do with exactly what it gets.

Start at :func:`assess`; the attacks are :mod:`~padan_client.assess.colours` (FREQ, colour
refinement), :mod:`~padan_client.assess.patterns` (PM), :mod:`~padan_client.assess.graph` (GMA),
:mod:`~padan_client.assess.rows` (SIG) and :mod:`~padan_client.assess.groups` (GRP). Spec 15.
"""

from __future__ import annotations

from padan_client.assess.assessing import Assessment, assess
from padan_client.assess.report import as_json, render

__all__ = ["Assessment", "as_json", "assess", "render"]
