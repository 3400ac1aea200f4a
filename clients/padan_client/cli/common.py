"""What every command shares: output, exit codes, one way to report an error."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from padan_client.base.errors import PadanError
from padan_client.base.language import system_reason, t
from padan_client.base.orders import ORDERS, pictured

P = ParamSpec("P")
R = TypeVar("R")


class _Screen(Console):
    """A console that what is printed cannot give orders to: a file's, a name's, another party's."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """As the base class does, with pictures in place of controls."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield segment._replace(text=ORDERS.sub(pictured, segment.text))


class _Uncut(_Screen):
    """A screen on which a key longer than it goes on in the next line."""

    def print(self, *objects: Any, crop: bool = False, **more: Any) -> None:
        """As the base class does, without cutting."""
        super().print(*objects, crop=crop, **more)


#: Tables and results go to standard output, progress and messages to standard error.
out = _Uncut()
err = _Screen(stderr=True)


class Exit(IntEnum):
    """Exit codes of every ``padan`` command; documented in the README."""

    OK = 0
    DEFECT = 1
    USAGE = 2
    BAD_INPUT = 3
    REFUSED = 4
    MISMATCH = 5
    UNAVAILABLE = 6
    UNVERIFIED = 7
    CHANGED = 8
    INTERRUPTED = 130


def say(message: str) -> None:
    """A message to standard error, as it is."""
    err.print(message, markup=False, highlight=False, soft_wrap=True)


def print_json(value: Mapping[str, object]) -> None:
    """Write one JSON object and a newline to standard output."""
    sys.stdout.write(_json_line(value))


def _json_line(value: Mapping[str, object]) -> str:
    """One line of JSON in which nothing is an order to a terminal."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    return ORDERS.sub(lambda order: f"\\u{ord(order[0]):04x}", line) + "\n"


def fail(code: Exit, message: str, *, json_: bool = False, reason: str = "") -> NoReturn:
    """Print ``message`` to standard error, with ``json_`` as an object, and leave with ``code``.

    ``reason``: the stable name of the cause (spec 50), which the object has beside its sentence.
    """
    if json_:
        failed = {"error": code.name.lower(), "exit_code": int(code), "message": message}
        if reason:
            failed["reason"] = reason
        sys.stderr.write(_json_line(failed))
        raise typer.Exit(int(code))
    stopped = code is Exit.INTERRUPTED
    word = t("Dihentikan", "Stopped") if stopped else t("Gagal", "Failed")
    err.print(f"[bold red]{word}:[/] ", end="")
    err.print(message, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(int(code))


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Decorate a command so that whatever goes wrong becomes a message and an exit code.

    An unforeseen exception could quote a record, so it is named by type and place alone, unless
    PADAN_DEBUG is set.
    """

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        json_ = bool(kwargs.get("json_"))
        try:
            return command(*args, **kwargs)
        except PadanError as e:
            fail(Exit(e.exit_code), str(e), json_=json_, reason=e.reason)
        except OSError as e:
            fail(Exit.BAD_INPUT, _system_trouble(e), json_=json_)
        except KeyboardInterrupt as stop:
            fail(Exit.INTERRUPTED, str(stop) or _stopped(), json_=json_)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as e:
            if os.environ.get("PADAN_DEBUG"):
                raise
            fail(Exit.DEFECT, _defect(e), json_=json_)

    return wrapped


def _stopped() -> str:
    return t(
        "tidak ada yang ditinggalkan setengah jadi; ulangi perintah yang sama.",
        "nothing is left half done; repeat the same command.",
    )


def _system_trouble(error: OSError) -> str:
    """What the operating system refused: a full disk, a folder without permission."""
    place = f"{error.filename}: " if error.filename else ""
    return t(
        f"{place}{system_reason(error)}. Perbaiki, lalu ulangi perintah yang sama; pekerjaan yang "
        "tertunda dilanjutkan.",
        f"{place}{system_reason(error)}. Mend that and repeat the same command; a pending job goes "
        "on.",
    )


def _defect(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "padan_" in f.filename] or frames
    where = f"{type(error).__name__}, {Path(own[-1].filename).name}:{own[-1].lineno}"
    return t(
        f"Ini cacat pada Padan ({where}). Sampaikan baris ini kepada pengembangnya. Dengan "
        "PADAN_DEBUG=1 rinciannya tampil; rincian itu mungkin memuat data.",
        f"This is a defect of Padan ({where}). Give this line to its developers. PADAN_DEBUG=1 "
        "shows the details, which may contain data.",
    )
