"""Every setting of both servers with strange values, taken from the models themselves.

Each is refused by a sentence that names the setting, in both languages, or it serves, ticks and
stops.
"""

from __future__ import annotations

import io
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial, reduce
from pathlib import Path
from types import NoneType
from typing import Annotated, Literal, Union, get_args, get_origin

import pytest
from engines import FakeEngine
from pydantic import AwareDatetime, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from padan_server.base.config import ProviderConfig, UnitConfig
from padan_server.base.quantities import Between
from padan_server.base.setting_faults import explained
from padan_server.roles.provider import Provider
from padan_server.roles.unit import Unit
from padan_server.store.port import StoreFaultError

_LONG = "x" * 5000
_NUMBERS = [math.nan, math.inf, -math.inf, -1, -1e-300, 1e-300, 1e7, 1e12, 1e300, 10**25, "x", None]
_TEXTS = ["", " ", "garbage", "a\0b", "127.0.0.1:١", "sqlite://", "sqlite:///", _LONG, 3, None]
_STRANGE: dict[object, list[object]] = {
    int: _NUMBERS,
    float: _NUMBERS,
    bool: ["x", 2, None],
    str: [*_TEXTS, "mysql://a:geheim@b/c", "sqlite:////nonexistent/dir/x.db", "[::1]:0"],
    Path: ["", "a\0b", _LONG, 3, None, "/dev/null", "/proc/self"],
    AwareDatetime: [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "x", 1e300],
    dict: [[], "x", {"": []}, {"x": ["zz"]}, {"x": "zz"}, {"BKN": []}, {}],
    Literal: ["x", "", "DEBUG", 0, None],
}
#: What the command tells as why a server cannot start.
_TOLD = (OSError, ValueError, RuntimeError, StoreFaultError)
#: A fault that a server would show, wherever it ends up.
_FAULTS = ("_fault", '"defect"', "thread_ended", "Traceback")

Place = tuple[str, ...]


def settings(model: type[BaseModel], above: Place = ()) -> Iterator[tuple[Place, FieldInfo]]:
    """Every setting that is no table of others."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings(field.annotation, (*above, name))
        else:
            yield (*above, name), field


def kind_of(field: FieldInfo) -> object:
    """What its values are; of an optional one, when there is one."""
    found = field.annotation
    while get_origin(found) in {Annotated, Union} or NoneType in get_args(found):
        found = next(each for each in get_args(found) if each is not NoneType)
    return get_origin(found) or found


def ends_of(field: FieldInfo) -> list[float]:
    """The lowest and the highest that a number may be."""
    (between,) = (each for each in field.metadata if isinstance(each, Between))
    ends = [between.lowest, between.highest]
    assert all(map(math.isfinite, ends))
    return ends


def values_of(field: FieldInfo) -> list[object]:
    ends = ends_of(field) if kind_of(field) in {int, float} else []
    return [*ends, *_STRANGE[kind_of(field)]]


def put(document: dict, place: Place, value: object) -> dict:
    """The settings with one of them changed."""
    first, *rest = place
    inner = put(document.get(first, {}), tuple(rest), value) if rest else value
    return {**document, first: inner}


def changed(document: dict, values: dict[Place, object]) -> dict:
    """The settings with some of them changed."""
    return reduce(lambda made, each: put(made, *each), values.items(), document)


@dataclass
class SettingsTrial:
    """Starts servers of one role; ``fresh`` gives the settings of a new one."""

    model: type[BaseModel]
    fresh: Callable[[], dict]
    make: Callable
    log: io.StringIO

    def __post_init__(self):
        self.base = self.fresh()

    def refusal(self, values: dict[Place, object]) -> str:
        """What the settings are refused with; nothing if they are taken."""
        try:
            self.model(**changed(self.base, values))
        except ValidationError as e:
            return "\n".join(explained(e))
        return ""

    def serve(self, values: dict[Place, object]) -> str:
        """What a server does not start for; nothing if it has served, ticked and stopped."""
        self.log.truncate(0)
        try:
            server = self.make(self.model(**changed(self.fresh(), values)))
            server.start()
        except _TOLD as e:
            return str(e)
        try:
            for ticker in server._tickers:
                ticker.turn()
            assert all(ticker._thread.is_alive() for ticker in server._tickers)
        finally:
            server.stop()
        assert not [fault for fault in _FAULTS if fault in self.log.getvalue()]
        return ""


def a_unit(config):
    return Unit(config, FakeEngine())


@pytest.fixture(params=["unit", "provider"])
def bench(request, make_house, make_publisher, evaluators, unit_log):
    if request.param == "unit":
        return SettingsTrial(UnitConfig, lambda: make_house().settings(), a_unit, unit_log)
    made = partial(Provider, evaluators=evaluators)
    return SettingsTrial(ProviderConfig, lambda: make_publisher().settings(), made, unit_log)


def test_each_is_refused_by_name_or_serves(bench):
    together: dict[int, dict[Place, object]] = defaultdict(dict)
    for place, field in settings(bench.model):
        taken = []
        for value in values_of(field):
            said = bench.refusal({place: value})
            if not said:
                taken.append(value)
                continue
            assert said.startswith(".".join(place)), said
            assert " / " in said
            assert len(said) < 1000
        if kind_of(field) in {int, float, bool} and place != ("metrics_port",):
            for number, value in enumerate(taken):
                together[number][place] = value
            continue
        for value in taken:
            said = bench.serve({place: value})
            assert not said or place[-1] in said, (place, value, said)
            assert "geheim" not in said
    for values in together.values():
        assert bench.serve(values) == ""


@pytest.mark.parametrize("model", [UnitConfig, ProviderConfig])
def test_what_is_there_by_itself_is_allowed(model):
    for place, field in settings(model):
        if kind_of(field) in {int, float}:
            lowest, highest = ends_of(field)
            assert lowest <= field.default <= highest or field.default == 0, place
