"""What each agency's files look like: whose data, which columns, how they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from padan_client.generate.people import CANDIDATES, People
from padan_client.generate.person_columns import WRITERS, Writer
from padan_client.generate.rates import (
    LIST,
    REGISTRY,
    TITLED_LIST_STYLE,
    TITLED_REGISTRY_STYLE,
)
from padan_client.generate.sides import Side, World


class ProfileName(StrEnum):
    """The profiles of ``padan generate``."""

    REGISTER = "register"


@dataclass(frozen=True)
class Profile:
    """``world`` makes the population from a size and a seed.

    ``inside``: share of the list that the registry holds; ``list_share``: rows of the list for one
    of the registry, unless asked otherwise.
    """

    world: Callable[[int, int], World]
    registry: Side
    list: Side
    inside: float
    list_share: float


def profile(name: ProfileName) -> Profile:
    """The profile of that name."""
    return _PROFILES[name]


def _columns(*names: str) -> dict[str, Writer]:
    return {name: WRITERS[name] for name in names}


_REGISTER_COLUMNS = _columns("nama", "tempat_lahir", "tanggal_lahir", "jenis_kelamin", "agama")
#: Two public registers, such as all candidates and those in office. Nobody stands there twice.
_REGISTER = Profile(
    world=lambda size, seed: People(size, seed, families=False, retired=0.12, naming=CANDIDATES),
    registry=Side(
        "registry", "R", _REGISTER_COLUMNS, replace(REGISTRY, duplicate=0), TITLED_REGISTRY_STYLE
    ),
    list=Side("list", "L", _REGISTER_COLUMNS, replace(LIST, duplicate=0), TITLED_LIST_STYLE),
    inside=0.95,
    list_share=0.06,
)

_PROFILES: Mapping[ProfileName, Profile] = {ProfileName.REGISTER: _REGISTER}
