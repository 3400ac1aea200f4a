"""Numbers in settings: each has a lowest and a highest that whatever uses it can stand.

What waits, counts or allocates by a number of an operator's must not find out that it cannot: a
thread that dies of it takes nothing with it, and nobody sees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Between:
    """What a number of a setting may be: both ends, and with ``or_zero`` 0 too."""

    lowest: float
    highest: float
    or_zero: bool = False

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The type's own schema, and the bounds."""

        def checked(value: Any, parse: Callable[[Any], Number]) -> Number:
            try:
                number = parse(value)
            except ValidationError:
                whole = source is int
                raise self._error(*_NO_NUMBER[whole]) from None
            if self.lowest <= number <= self.highest or (self.or_zero and number == 0):
                return number
            raise self._error(*(_TOO_LARGE if number > self.highest else _TOO_SMALL))

        return core_schema.no_info_wrap_validator_function(checked, handler(source))

    def _error(self, indonesian: str, english: str) -> PydanticCustomError:
        zero = ("0, atau ", "0, or ") if self.or_zero else ("", "")
        ends = self.lowest, self.highest
        return told(
            f"{indonesian}; boleh {zero[0]}dari {ends[0]} sampai {ends[1]}.",
            f"{english}; allowed is {zero[1]}from {ends[0]} to {ends[1]}.",
        )


_NO_NUMBER = {
    False: ("Bukan bilangan", "Not a number"),
    True: ("Bukan bilangan bulat", "Not a whole number"),
}
_TOO_LARGE = "Terlalu besar", "Too large"
_TOO_SMALL = "Terlalu kecil", "Too small"

#: The type of what :func:`told` makes, and no other fault of a setting.
TOLD = "padan_setting"


def told(indonesian: str, english: str) -> PydanticCustomError:
    """A setting's fault, in both languages."""
    return PydanticCustomError(TOLD, "{told}", {"told": f"{indonesian} / {english}"})


_WEEK = 7 * 24 * 3600

#: gRPC counts milliseconds in 31 bits (24 days), threads wait in nanoseconds in 63.
Seconds = Annotated[float, Between(0.01, _WEEK)]
#: For what a stop may wait: not at all, too.
SecondsOrNone = Annotated[float, Between(0, _WEEK)]
LongSeconds = Annotated[float, Between(1, _WEEK)]
Hours = Annotated[float, Between(0.001, 24 * 366)]
Days = Annotated[int, Between(1, 3660)]
CallsASecond = Annotated[float, Between(0.001, 1_000_000)]
#: Of as many as there may be: what a signed column of a database holds, and a list of them.
Count = Annotated[int, Between(1, 1_000_000)]


_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _of_our_time(moment: datetime) -> datetime:
    if not _EARLIEST <= moment <= _LATEST:
        raise told(
            f"Di luar zaman; boleh dari {_EARLIEST:%Y} sampai {_LATEST:%Y}.",
            f"Out of all time; allowed is from {_EARLIEST:%Y} to {_LATEST:%Y}.",
        )
    return moment


#: A moment from which terms, quotas and retention can be counted, forwards and back.
Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]
