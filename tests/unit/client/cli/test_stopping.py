"""Ctrl-C and SIGTERM: a sentence, exit code 130, and nothing half done."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

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


def test_a_process_that_is_stopped_says_so_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-c", "from padan_client.cli.app import main; main()"]
    process = subprocess.Popen(
        [*command, "generate", "--profile", "asn", "--rows", "1000000", "--out", str(tmp_path)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "registry.csv").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert "Dihentikan" in said[1]
    assert "Traceback" not in said[1]
    assert list(tmp_path.iterdir()) == []
