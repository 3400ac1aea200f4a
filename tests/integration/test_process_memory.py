"""Whoever runs as the same user reads nothing out of a process that holds keys, and gets no core.

Root may read everything; so where the tests run as root, both processes are a root without the
capability for that (CAP_SYS_PTRACE), whom the kernel treats as any other user here.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from patience import PATIENCE
from provider_fixture import children

from padan_client.home.identity import create_identity, save_identity

PASSPHRASE = "sapi goreng merah tua hujan"
_PR_CAPBSET_DROP, _CAP_SYS_PTRACE = 24, 19
READ = "import sys; open(f'/proc/{sys.argv[1]}/mem', 'rb').close()"
CORE = re.compile(r"Max core file size +(\S+) +(\S+)")


def like_any_user() -> None:
    """Give up the right to read every process, for good; called in a child."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and libc.prctl(_PR_CAPBSET_DROP, _CAP_SYS_PTRACE, 0, 0, 0):
        os._exit(1)


def readable(pid: int) -> bool:
    """Whether another process of that user may open the memory of ``pid``."""
    command = [sys.executable, "-c", READ, str(pid)]
    done = subprocess.run(command, capture_output=True, check=False, preexec_fn=like_any_user)
    return done.returncode == 0


def core_limits(pid: int) -> tuple[str, ...]:
    """The soft and hard limit of core files."""
    return CORE.search(Path(f"/proc/{pid}/limits").read_text()).groups()


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process of that user; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=like_any_user,  # noqa: PLW1509 - it calls the kernel and nothing else
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module", autouse=True)
def _found_otherwise():
    with running("-c", "print(flush=True); input()") as open_process:
        open_process.stdout.readline()
        if not readable(open_process.pid):
            pytest.skip("this machine lets no process read another's memory")


def test_a_command_that_opens_the_keys_keeps_them_to_itself(tmp_path):
    home, pipe = tmp_path / "home", tmp_path / "pipe"
    identity = create_identity("bkn", os.urandom)
    save_identity(home, identity, passphrase=PASSPHRASE, randomness=os.urandom)
    (home / "client.toml").write_text('party = "bkn"\n')
    os.mkfifo(pipe)
    given = {"PADAN_HOME": str(home), "PADAN_PASSPHRASE_FILE": str(pipe)}
    with running("-m", "padan_client", "keys", "show", "--json", **given) as command:
        with pipe.open("w") as file:  # opens when the command asks
            assert core_limits(command.pid) == ("0", "0")
            assert not readable(command.pid)
            file.write(f"{PASSPHRASE}\n")
        shown, message = command.communicate(timeout=PATIENCE)
    assert command.returncode == 0, message
    assert b"sign_key" in shown


def test_a_process_that_evaluates_keeps_its_seed_to_itself():
    with running("-P", "-m", "padan_server.direct.worker") as worker:
        assert b"ready" in worker.stdout.read(4 + len(b"ready"))
        assert core_limits(worker.pid) == ("0", "0")
        assert not readable(worker.pid)


def test_a_provider_and_its_workers_leave_no_core(make_provider_process):
    process, _ = make_provider_process()
    process.start()
    pid = process.process.pid
    workers = children(pid)
    assert workers
    for each in (pid, *workers):
        assert core_limits(each) == ("0", "0")
    assert process.stop() == 0


def test_a_process_that_builds_a_table_keeps_its_seed_to_itself():
    code = (
        "from unittest.mock import Mock; from padan_client.protocol.direct import blocks;"
        "blocks.start_process(Mock(part_key=bytes(32))); print('made', flush=True); input()"
    )
    with running("-c", code) as builder:
        assert builder.stdout.readline() == b"made\n", builder.stderr.read()
        assert not readable(builder.pid)
