"""Imports the unit once and forks it again and again: a start costs milliseconds, not seconds.

As a script: reads jobs (JSON, one a line) from standard input; for each it answers with the child's
pid and, once that has ended, its exit code. One child at a time; gRPC never runs before a fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from patience import PATIENCE


class Forked:
    """A forked unit, with the part of ``subprocess.Popen`` that tests use."""

    def __init__(self) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self.born = threading.Event()
        self.ended = threading.Event()

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """Wait for its end."""
        assert self.ended.wait(timeout)
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM, unless it has ended."""
        self._send(signal.SIGTERM)

    def _send(self, number: int) -> None:
        # Unreaped until its parent has told us, so the pid is still its own or nobody's.
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Zygote:
    """The parent of forked units, seen from the tests; ``script`` is what it runs."""

    def __init__(self, script: str = __file__) -> None:
        self._process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._child = Forked()
        self._child.ended.set()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Lines come in pairs: the pid of a child, then its exit code."""
        assert self._process.stdout
        for line in self._process.stdout:
            child = self._child
            if not child.born.is_set():
                child.pid = int(line)
                child.born.set()
            else:
                child.returncode = int(line)
                child.ended.set()

    def fork(self, role: str, config: Path, log: Path, environment: dict[str, str]) -> Forked:
        """Start a unit, or a provider; the one before must have ended."""
        assert self._child.ended.is_set()
        self._child = Forked()
        job = {"role": role, "config": str(config), "log": str(log), "environment": environment}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        assert self._child.born.wait(PATIENCE)
        return self._child

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def become_server(job: dict) -> int:
    """Be a unit or a provider until told to stop; the exit code."""
    import typer
    from engines import FakeEngine

    from padan_server.app import read_settings, run_provider, run_unit
    from padan_server.base.config import ProviderConfig, UnitConfig

    try:
        if job["role"] == "provider":
            run_provider(read_settings(Path(job["config"]), ProviderConfig))
        else:
            run_unit(read_settings(Path(job["config"]), UnitConfig), FakeEngine())
    except typer.Exit as left:
        return left.exit_code
    return 0


def import_servers() -> None:
    """Import what the children will need, and look up once what each would."""
    import engines  # noqa: F401

    import padan_server.app
    import padan_server.roles.provider
    import padan_server.roles.unit  # noqa: F401
    from padan_server.store.sql.store import data_format

    data_format()


def fork_for(become: Callable[[dict], int]) -> None:
    """Fork a child for each job that comes, and tell of it."""
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(job, become)
        _tell(pid)
        _tell(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _live(job: dict, become: Callable[[dict], int]) -> NoReturn:
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.environ.update(job["environment"])
    code = 1
    try:
        code = become(job)
    finally:
        sys.stderr.flush()
        os._exit(code)


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    import_servers()
    fork_for(become_server)
