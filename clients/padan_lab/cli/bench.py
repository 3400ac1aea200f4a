"""``padan bench``: measurements on this machine, the peers beside Padan in one run."""

from __future__ import annotations

import typer

from padan_lab.bench import (
    confirm,
    encode,
    join,
    kernel,
    national,
    quality,
    sweep,
    upload,
    voprf,
)

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Pengukuran di mesin ini. / Measurements on this machine."""


_BENCHES = {
    "confirm": confirm,
    "encode": encode,
    "join": join,
    "kernel": kernel,
    "national": national,
    "quality": quality,
    "sweep": sweep,
    "upload": upload,
    "voprf": voprf,
}

for name, module in _BENCHES.items():
    app.command(name)(module.command)
