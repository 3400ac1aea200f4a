"""What lies in a file's place and is no file, and what a call says of it in time."""

from __future__ import annotations

import os
import threading

from patience import PATIENCE


def a_pipe(path):
    """A pipe that nobody writes to."""
    os.mkfifo(path)


def a_device(path):
    """A link to what never ends."""
    path.symlink_to("/dev/zero")


def a_circle(path):
    """A link to itself."""
    path.symlink_to(path.name)


def a_link_to_nowhere(path):
    """A link to a disk that is not mounted, say."""
    path.symlink_to(path.name + ".elsewhere")


def a_full_folder(path):
    """A folder with something in it."""
    path.mkdir()
    (path / "x").write_text("1")


def in_time(call):
    """What a call gives, or the error that it raises; fails if it hangs."""
    said = []

    def run():
        try:
            said.append(call())
        except Exception as e:  # noqa: BLE001 - whatever it is, it is looked at
            said.append(e)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert said, "it waits"
    return said[0]
