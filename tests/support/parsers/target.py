"""One parser, what it may be given to begin with, and how it may refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Defect(Exception):
    """A parser answered an input as none may be answered."""


@dataclass(frozen=True, repr=False)
class Target:
    """``read`` gets the bytes, and goes as far with what it read as the product would.

    ``seeds``: inputs that are read; ``refusals``: what it may raise for others. ``covers``: the
    functions that it tries, as ``module.function`` or ``module.Class.function`` behind ``padan_``.
    """

    name: str
    read: Callable[[bytes], Any]
    seeds: Callable[[], list[bytes]]
    refusals: tuple[type[Exception], ...] = ()
    covers: tuple[str, ...] = field(default=())

    def accepts(self, content: bytes) -> bool:
        """Whether the input is read; Defect where it is neither read nor refused."""
        try:
            self.read(content)
        except self.refusals:
            return False
        except Exception as error:
            raise Defect(f"{self.name}: {type(error).__name__} of {content[:400]!r}") from error
        return True
