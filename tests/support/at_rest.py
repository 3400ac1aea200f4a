"""Servers in this process that write nothing any more, so that a copy is of one moment.

A server goes on beside its calls: what was just committed gets its directories, meters are synced,
folders are read again. A copy taken meanwhile is of several moments, as no kill leaves it, or of
files that are gone before they are reached.
"""

from __future__ import annotations

import shutil

from damaged import digests

from padan_server.roles.unit import Unit


def at_rest(server):
    """End for good what a server does by itself; it still answers, and works on its runs."""
    if isinstance(server, Unit):
        server._warmer.stop()
    for ticker in server._tickers:
        ticker.stop()


def as_killed(running, folder):
    """Stop a server, and leave its data directory as a SIGKILL now would have.

    ``folder`` is where it lies meanwhile. What only an orderly stop writes is not in it. Calls are
    over, and so are runs: one under way would give back its lease.
    """
    server, data = running.server, running.house.data_dir
    server._stopping.set()
    server._end()
    at_rest(server)
    shutil.copytree(data, folder)
    assert digests(folder) == digests(data), "it was not at rest"
    running.house.close()
    running.stop()
    shutil.rmtree(data)
    shutil.copytree(folder, data)
