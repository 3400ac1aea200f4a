"""The ``padan-server`` command: reads the settings, runs the unit until it is told to stop."""

from __future__ import annotations

import signal
import sys
import threading
import tomllib
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from padan_server.config import UnitConfig, load_config
from padan_server.engine import Engine
from padan_server.log import configure_logging
from padan_server.unit import DataDirectoryBusyError, Unit

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

#: Exit codes: settings that cannot be used, and a unit that cannot start.
BAD_CONFIG = 2
CANNOT_START = 3


@app.callback()
def _about() -> None:
    """Server Padan. / Padan server."""


@app.command()
def unit(
    config: Annotated[Path, typer.Option("--config", help="Berkas TOML. / TOML file.")],
) -> None:
    """Jalankan unit pemadanan. / Run the linkage unit."""
    # Here, so that --help and bad settings need not wait for the compiler of the matcher.
    from padan_server.matcher import LinkageEngine

    run_unit(read_settings(config), LinkageEngine())


def run_unit(settings: UnitConfig, engine: Engine) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reads the agreements again."""
    configure_logging(settings.log_level)
    stop = threading.Event()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        running = Unit(settings, engine)
    except DataDirectoryBusyError:
        _fail(CANNOT_START, "data_dir dipakai unit lain. / data_dir is used by another unit.")
    except (OSError, ValueError, RuntimeError) as e:
        _fail(CANNOT_START, f"Unit tidak dapat dijalankan. / The unit cannot start. {e}")
    signal.signal(signal.SIGHUP, lambda *_: running.reload())
    running.start()
    stop.wait()
    running.stop()


def read_settings(path: Path) -> UnitConfig:
    """The settings in ``path``; leaves with a message that names each wrong setting."""
    try:
        return load_config(path)
    except OSError as e:
        _fail(BAD_CONFIG, f"{path}: {e.strerror}")
    except tomllib.TOMLDecodeError as e:
        _fail(BAD_CONFIG, f"{path}: {e}")
    except ValidationError as e:
        lines = [
            f"  {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in e.errors(include_input=False, include_url=False)
        ]
        _fail(BAD_CONFIG, "\n".join([f"{path}:", *lines]))


def _fail(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"padan-server: {message}\n")
    raise typer.Exit(code)


def main() -> None:
    """Entry point of the ``padan-server`` script."""
    app()
