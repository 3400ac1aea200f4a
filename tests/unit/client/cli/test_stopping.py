"""Ctrl-C and SIGTERM: a sentence, exit code 130, and nothing half done."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from patience import PATIENCE

from padan_client.base.files import filled_whole
from padan_client.cli.common import fail, reports_errors
from padan_client.cli.stopping import StoppedError, telling


def test_what_was_done_is_told_once_and_by_who_knows_it(capsys):
    @reports_errors
    def command(*, json_: bool) -> None:
        assert not json_
        with telling(lambda: "luar"), telling(lambda: "dalam"):
            raise KeyboardInterrupt

    with pytest.raises(BaseException, match="130"):
        command(json_=False)
    said = capsys.readouterr().err
    assert "Dihentikan: dalam" in said
    assert "luar" not in said


def test_a_failure_within_is_no_stop():
    with pytest.raises(LookupError), telling(fail):
        raise LookupError
    with pytest.raises(StoppedError, match="so far"), telling(lambda: "so far"):
        raise KeyboardInterrupt


def test_a_folder_that_is_not_finished_is_empty_again(tmp_path):
    folder = tmp_path / "sandi"

    def fill(then):
        with filled_whole(folder):
            (folder / "nik").mkdir()
            (folder / "nik" / "keys.npy").touch()
            (folder / "manifest.json").touch()
            if then:
                raise then

    with pytest.raises(KeyboardInterrupt):
        fill(KeyboardInterrupt())
    assert list(folder.iterdir()) == []
    fill(None)
    assert len(list(folder.iterdir())) == 2


#: The command, stopped by a signal of its own once something is in its folder.
_STOPPED_WITHIN = """
import os, signal, sys
from pathlib import Path
from padan_client.cli.app import main
from padan_lab import generate

write_files = generate.write_files

def stopped_within(request, folder, told):
    def tell(done, total):
        told(done, total)
        if any(Path(folder).iterdir()):
            os.kill(os.getpid(), signal.SIGTERM)
    return write_files(request, folder, tell)

generate.write_files = stopped_within
main()
"""


@pytest.fixture(params=["deaf", "open"])
def starter(request):
    """Who starts the command: one that has its signals blocked, or that has not."""
    change = signal.SIG_BLOCK if request.param == "deaf" else signal.SIG_UNBLOCK
    before = signal.pthread_sigmask(change, {signal.SIGTERM})
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.mark.usefixtures("starter")
def test_a_process_that_is_stopped_says_so_and_leaves_nothing(tmp_path):
    arguments = ["generate", "--profile", "asn", "--rows", "2000", "--out", str(tmp_path)]
    process = subprocess.run(
        [sys.executable, "-c", _STOPPED_WITHIN, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert process.returncode == 130, process
    assert "Dihentikan" in process.stderr
    assert "Traceback" not in process.stderr
    assert list(tmp_path.iterdir()) == []
