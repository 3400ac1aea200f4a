"""Characters that a terminal may take for an order, not for text, and their pictures."""

from __future__ import annotations

import re

#: Controls; a tab and a line feed are text.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: The same, and marks of writing direction.
ORDERS = re.compile(CONTROLS.pattern[:-1] + "\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def pictured(order: re.Match[str]) -> str:
    """An order as a sign of its own: U+2400 and on have a picture of each old control."""
    code = ord(order[0])
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"
