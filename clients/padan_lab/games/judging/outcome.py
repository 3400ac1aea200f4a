"""What came of a game: its parts, its controls, and whether it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from padan_lab.games.judging.contest import Result

#: An interval ends at or below this, in the full bench and the quick one.
FULL_HIGH, QUICK_HIGH = 0.55, 0.58
#: The low end of a control's interval lies above this.
FOUND = 0.55


@dataclass(frozen=True)
class Outcome:
    """A game's parts by what was seen, and its controls by the leak that was put in.

    ``party`` is who plays, ``mode`` how answers are given. ``told``: what is said beside and judged
    by nobody.
    """

    party: str
    mode: str
    parts: Mapping[str, Result]
    controls: Mapping[str, Result]
    told: Mapping[str, Result] = field(default_factory=dict)

    @property
    def worst(self) -> str:
        """The part that is farthest from holding."""
        return max(self.parts, key=lambda part: _badness(self.parts[part]))

    @property
    def control(self) -> float:
        """The low end of the interval of the control that is found least."""
        return min(result.area.low for result in self.controls.values())

    def holds(self, high: float) -> bool:
        """Whether nothing was told apart, and every control was found."""
        areas = [result.area for result in self.parts.values()]
        return all(a.chance and a.high <= high for a in areas) and self.control > FOUND

    def as_json(self) -> dict[str, object]:
        """The worst part, and all of them."""
        worst = self.parts[self.worst]
        return {
            **worst.as_json(),
            "control": round(self.control, 4),
            "party": self.party,
            "mode": self.mode,
            "part": self.worst,
            "parts": {name: result.as_json() for name, result in self.parts.items()},
            "controls": {name: result.as_json() for name, result in self.controls.items()},
            "told": {name: result.as_json() for name, result in self.told.items()},
        }


@dataclass(frozen=True)
class Bound:
    """What an attack learned, in bits a charged record, and the most that the agreement allows.

    ``control``: the same attack where nothing bounds it.
    """

    bits: float
    limit: float
    control: float
    details: Mapping[str, object]

    def holds(self) -> bool:
        """Whether the bound is kept, and the attack would have broken it otherwise."""
        return self.bits <= self.limit < self.control

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        own = {"bits": self.bits, "limit": self.limit, "control": self.control}
        return {**own, "details": dict(self.details)}


def _badness(result: Result) -> tuple[bool, float]:
    area = result.area
    return not area.chance, abs(area.auc - 0.5) if not area.chance else area.high
