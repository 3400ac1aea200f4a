"""OpenMined PSI beside ours, in an environment of its own: its wheel pins other packages.

``measure`` makes the environment where it is missing, and runs this very file there, as a script
that imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

PACKAGE = "openmined-psi==2.0.6"


def measure(folder: Path, server_items: int, client_items: int) -> dict[str, object]:
    """Rates per second of PSI's steps; ``{"failed": why}`` where it cannot be installed."""
    from padan_lab.bench.peers.environment import python_with

    try:
        python = python_with(folder, PACKAGE)
        command = [str(python), __file__, str(server_items), str(client_items)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        return {"failed": type(error).__name__}
    return dict(json.loads(printed))


def main(server_items: int, client_items: int) -> None:
    """Time one intersection and print JSON; runs inside the environment."""
    import private_set_intersection.python as psi  # type: ignore[import-not-found]

    everybody = [f"server {i} {os.getpid()}" for i in range(server_items)]
    mine = [f"server {i} {os.getpid()}" for i in range(client_items)]
    client, server = psi.client.CreateWithNewKey(True), psi.server.CreateWithNewKey(True)
    seconds = {}
    begin = time.perf_counter()
    setup = server.CreateSetupMessage(1e-9, client_items, everybody, psi.DataStructure.RAW)
    seconds["setup"] = time.perf_counter() - begin
    begin = time.perf_counter()
    request = client.CreateRequest(mine)
    seconds["request"] = time.perf_counter() - begin
    begin = time.perf_counter()
    response = server.ProcessRequest(request)
    seconds["response"] = time.perf_counter() - begin
    begin = time.perf_counter()
    found = client.GetIntersection(setup, response)
    seconds["intersection"] = time.perf_counter() - begin
    sys.stdout.write(
        json.dumps(
            {
                "package": PACKAGE,
                "server_items": server_items,
                "client_items": client_items,
                "found": len(found),
                "setup_per_second": round(server_items / seconds["setup"]),
                "request_per_second": round(client_items / seconds["request"]),
                "response_per_second": round(client_items / seconds["response"]),
                "intersection_per_second": round(client_items / seconds["intersection"]),
                "note": "P-256 Diffie-Hellman PSI; semi-honest, no proof, membership only",
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
