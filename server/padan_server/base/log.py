"""Structured logs: one JSON object a line on standard error.

Events carry ids, counts, reasons and times. Nothing here can keep a value out by itself, so callers
pass only named, harmless fields; exceptions are logged by type and place, never by message.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Mapping
from typing import TextIO

import structlog

_log = structlog.get_logger(__name__)
_ENCODER = json.JSONEncoder(default=repr)


def configure_logging(level: str, stream: TextIO | None = None, *, for_good: bool = False) -> None:
    """Send structlog and the standard library's warnings as JSON to ``stream`` (stderr).

    ``for_good``: nobody configures them again, so loggers need not look at each event.
    """
    target = stream or sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=for_good,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(_Json())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def places(error: BaseException) -> list[str]:
    """Where an unforeseen error came from: functions and lines, the outermost first."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}")
        trace = trace.tb_next
    return frames


def tell_of_threads() -> None:
    """From now on the log says which thread an error has ended; its message could quote values."""

    def tell(died: threading.ExceptHookArgs) -> None:
        if died.exc_value is not None:
            name, frames = died.thread and died.thread.name, places(died.exc_value)
            _log.error("thread_ended", thread=name, error=died.exc_type.__name__, frames=frames)

    threading.excepthook = tell


def _json(event: Mapping[str, object], **_: object) -> str:
    """An event as JSON. One encoder for all: json.dumps makes one for each where it has options."""
    return _ENCODER.encode(event)


class Seldom:
    """Lets a line of each kind through once a minute, so that no stranger fills the log."""

    _SECONDS = 60.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[str, tuple[float, int]] = {}

    def untold(self, kind: str) -> int | None:
        """None if the line is not to be written; else how many of its kind were not, since."""
        now = time.monotonic()
        with self._lock:
            began, left_out = self._kinds.get(kind, (-self._SECONDS, 0))
            due = now - began >= self._SECONDS
            self._kinds[kind] = (now, 0) if due else (began, left_out + 1)
        return left_out if due else None


class _Json(logging.Formatter):
    """A library's warning as JSON: who and where; its message could quote what it choked on."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "event": "library_message",
            "logger": record.name,
            "level": record.levelname.lower(),
            "where": f"{record.module}:{record.lineno}",
        }
        if record.exc_info and record.exc_info[0]:
            event["error"] = record.exc_info[0].__name__
        return str(structlog.processors.JSONRenderer()(None, "", event))
