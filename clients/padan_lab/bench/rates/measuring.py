"""Seconds, memory and disk of stages that run as processes of their own (Linux)."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from padan_lab.bench.report import rounded
from padan_lab.demo.deployment import StepError

_LOOK_SECONDS = 0.5
_GIB = 1024**3


@dataclass
class Lap:
    """One stage: seconds by the clock, and of the process it ran its processor time and memory."""

    seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_gib: float | None = None

    def run(self, line: list[str], environment: dict[str, str], log: Path) -> str:
        """Run a command to its end; what it printed. Raises StepError with what it said."""
        with log.open("a+b") as output, tempfile.TemporaryFile() as printed:
            began = output.tell()
            process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                line, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=output
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                output.seek(began)
                raise StepError(output.read().decode(errors="replace").strip())
            printed.seek(0)
            text = printed.read().decode()
        self.cpu_seconds = rounded(usage.ru_utime + usage.ru_stime)
        self.peak_gib = rounded(usage.ru_maxrss * 1024 / _GIB)
        return text

    def shown(self) -> dict[str, float]:
        """What is known of the stage."""
        known = {
            "seconds": rounded(self.seconds),
            "cpu_seconds": self.cpu_seconds,
            "peak_gib": self.peak_gib,
        }
        return {name: value for name, value in known.items() if value is not None}


@dataclass
class WatchedProcess:
    """A process that goes on through several stages.

    ``own_gib`` is the most memory of its own that it held; ``peak_gib`` has the pages of mapped
    files in it too, which the kernel takes back when it needs them.
    """

    peak_gib: float = 0.0
    own_gib: float = 0.0
    cpu_seconds: float = 0.0

    def look(self, pid: int) -> None:
        """Read what the kernel says of it now."""
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        sizes = {name: value.split()[0] for name, _, value in (x.partition(":") for x in lines)
                 if name in {"VmHWM", "RssAnon"}}  # fmt: skip
        self.peak_gib = rounded(int(sizes["VmHWM"]) * 1024 / _GIB)
        self.own_gib = max(self.own_gib, rounded(int(sizes["RssAnon"]) * 1024 / _GIB))
        ticks = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        self.cpu_seconds = rounded((int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK"))


@dataclass
class Meter:
    """Measures stages and tells of each as it ends."""

    tell: Callable[[str], None]
    laps: dict[str, Lap] = field(default_factory=dict)

    @contextmanager
    def lap(self, name: str, text: str) -> Iterator[Lap]:
        """Measure a stage."""
        lap, began = self.laps.setdefault(name, Lap()), time.perf_counter()
        yield lap
        lap.seconds = time.perf_counter() - began
        self.tell(f"{text}: {lap.seconds:.1f} s")

    @contextmanager
    def watching(self, pid: int) -> Iterator[WatchedProcess]:
        """Look at a process twice a second."""
        watched, ended = WatchedProcess(), threading.Event()

        def look() -> None:
            while not ended.wait(_LOOK_SECONDS):
                watched.look(pid)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield watched
        finally:
            ended.set()
            thread.join()


def folder_gib(folder: Path) -> float:
    """Bytes on the disk under ``folder``, GiB."""
    return rounded(sum(p.stat().st_blocks * 512 for p in folder.rglob("*") if p.is_file()) / _GIB)
