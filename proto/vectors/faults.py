"""How negative vectors are made: a valid case of a call, and named faults of it, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Prime of the field of Curve25519, Ed25519 and ristretto255, and order of the group of the latter.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493


class Faults:
    """One call of the protocol: inputs that it takes, and changes of them that it must refuse.

    ``section`` says where the spec has it; ``name`` begins the names of its faults.
    """

    def __init__(self, name: str, section: str, **valid: Any) -> None:
        self.name = name
        self.section = section
        self.valid = {key: shown(value) for key, value in valid.items()}
        self.refused: list[dict[str, Any]] = []

    def fault(self, name: str, error: str, **change: Any) -> None:
        """Add a fault: what differs from the valid case, and the error that this code raises.

        ``error`` is "" where a call answers no instead of raising.
        """
        whole = f"{self.name}_{name}"
        made = {key: shown(value) for key, value in change.items()}
        assert change.keys() <= self.valid.keys(), whole
        assert all(made[key] != self.valid[key] for key in made), whole
        self.refused.append({"fault": whole, "error": error, "change": made})


def negative(spec: str, *calls: Faults) -> dict[str, Any]:
    """The content of one file."""
    return {
        "spec": f"proto/spec/{spec}",
        "calls": {
            call.name: {"section": call.section, "valid": call.valid, "refused": call.refused}
            for call in calls
        },
    }


def shown(value: Any) -> Any:
    """``value`` as JSON has it: bytes in hexadecimal."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {key: shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    return value


def flip(data: bytes, at: int, bit: int = 0) -> bytes:
    """``data`` with one bit of byte ``at`` turned."""
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    return bytes(changed)


def little(number: int) -> bytes:
    """A number in 32 bytes, little-endian."""
    return number.to_bytes(32, "little")
