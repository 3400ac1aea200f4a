"""The ``padan-server`` command: reads the settings, runs a server until it is told to stop.

What serves is imported when its command runs: `--help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from padan_linkage.agreement import TomlTextError
from padan_linkage.crypto.software import software
from padan_server.base.accepting import LOCK, Acceptable, Acceptances
from padan_server.base.config import Config, ProviderConfig, ServerConfig, UnitConfig, load_config
from padan_server.base.setting_faults import explained

if TYPE_CHECKING:
    from padan_server.matching.engine import Engine
    from padan_server.roles.serving import Server

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

#: Modules of the extra ``server``, which the client is installed without.
_EXTRA = frozenset(
    {"alembic", "grpc_health", "grpc_reflection", "prometheus_client", "sqlalchemy", "structlog"}
)

#: Exit codes: damaged files, settings that cannot be used, and a server that cannot start.
DAMAGED = 1
BAD_CONFIG = 2
CANNOT_START = 3

#: What else comes of accepting that a store may have forgotten something.
_HELD = (
    "Setiap perjanjian lalu ditangguhkan atas nama semua pihaknya sampai masing-masing "
    "mengakhirinya (padan agreement resume), kuota hari ini dan epok sekarang dianggap habis, dan "
    "para pihak perlu menerimanya (padan agreement accept-restore). Beri tahu mereka.",
    "Every agreement is then suspended in the name of all its parties until each of them ends that "
    "(padan agreement resume), today's quota and the present epoch count as used up, and the "
    "parties have to accept it (padan agreement accept-restore). Tell them.",
)

#: What comes of an acceptance.
_ACCEPTED = {
    Acceptable.STORE: (
        "Diterima untuk penjalanan berikutnya: berkas tanpa catatan disisihkan 30 hari di aside/, "
        f"lalu dihapus. {_HELD[0]} / Accepted for the next start: files without a record are set "
        f"aside in aside/ for 30 days, then erased. {_HELD[1]}"
    ),
    Acceptable.RESTORE: (
        f"Diterima untuk penjalanan berikutnya: direktori ini cadangan. {_HELD[0]} / Accepted for "
        f"the next start: this directory is a backup. {_HELD[1]}"
    ),
    Acceptable.CLOCK: (
        "Diterima: dalam satu sapuan server memakai jam ini dan menghapus apa yang sudah lewat "
        "waktunya. / Accepted: within a sweep the server goes by this clock, and erases what its "
        "time is up for."
    ),
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"padan-server {software()}")
        raise typer.Exit


@app.callback()
def _about(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_version,
            help="Tampilkan versi. / Show the version.",
        ),
    ] = False,
) -> None:
    """Server Padan. / Padan server."""


@app.command()
def unit(
    config: Annotated[Path, typer.Option("--config", help="Berkas TOML. / TOML file.")],
) -> None:
    """Jalankan unit pemadanan. / Run the linkage unit."""
    from padan_server.matching.linkage_engine import LinkageEngine

    settings = read_settings(config, UnitConfig)
    run_unit(settings, LinkageEngine(settings.range_pairs))


@app.command()
def provider(
    config: Annotated[Path, typer.Option("--config", help="Berkas TOML. / TOML file.")],
) -> None:
    """Jalankan penyedia modus langsung. / Run a provider of direct mode."""
    run_provider(read_settings(config, ProviderConfig))


@app.command()
def accept(
    what: Annotated[
        Acceptable,
        typer.Argument(
            help="store: basis data yang bukan pasangan berkasnya; restore: direktori yang "
            "dipulihkan dari cadangan; clock: jam. / store: a database that is not its files'; "
            "restore: a folder restored from a backup; clock: the clock."
        ),
    ],
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Direktori data. / Data folder.")],
) -> None:
    """Terima apa yang diragukan server. / Accept what the server doubts."""
    if not (data_dir / LOCK).exists():
        _fail(
            BAD_CONFIG,
            f"{data_dir} bukan direktori data server Padan. / is no data folder of a Padan server.",
        )
    from padan_server.store.marks import require_known_format

    try:
        require_known_format(data_dir, accept=True)
        Acceptances(data_dir).leave(what)
    except OSError as e:
        _fail(BAD_CONFIG, f"{data_dir}: {e.strerror}")
    except RuntimeError as e:
        _fail(BAD_CONFIG, str(e))
    typer.echo(_ACCEPTED[what])


@app.command()
def fsck(
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Direktori data. / Data folder.")],
    tables_dir: Annotated[
        Path | None,
        typer.Option("--tables-dir", help="Penyedia: tabel label. / Provider: its label tables."),
    ] = None,
    seeds_dir: Annotated[
        Path | None, typer.Option("--seeds-dir", help="Penyedia: benihnya. / Provider: its seeds.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Keluaran JSON. / JSON output.")] = False,
) -> None:
    """Periksa semua berkas server yang berhenti. / Check every file of a server that is stopped.

    Tidak mengubah apa pun. Kode keluar: 0 utuh, 1 ada yang rusak atau hilang, 2 tidak dapat
    diperiksa. / Changes nothing. Exit code: 0 whole, 1 something is damaged or missing, 2 it cannot
    be checked.
    """
    if not (data_dir / LOCK).exists():
        _fail(
            BAD_CONFIG,
            f"{data_dir} bukan direktori data server Padan. / is no data folder of a Padan server.",
        )
    from padan_server.roles.checking import examine, shown
    from padan_server.roles.data_directory import DataDirectoryBusyError
    from padan_server.store.port import StoreFaultError

    try:
        report = examine(data_dir, tables_dir, seeds_dir)
    except DataDirectoryBusyError:
        _fail(
            BAD_CONFIG,
            f"{data_dir} dipakai server yang berjalan; server itu memeriksanya sendiri sedikit "
            f"demi sedikit. / {data_dir} is used by a running server, which checks it by itself "
            "bit by bit.",
        )
    except (OSError, RuntimeError, StoreFaultError) as e:
        _fail(BAD_CONFIG, str(e))
    typer.echo(shown(report, as_json=as_json))
    raise typer.Exit(DAMAGED if report.harmful else 0)


def run_unit(settings: UnitConfig, engine: Engine) -> None:
    """Run the linkage unit."""
    from padan_server.roles.unit import Unit

    run_server(settings, lambda: Unit(settings, engine))


def run_provider(settings: ProviderConfig) -> None:
    """Run a provider: it reads the seeds, so its memory is nobody else's."""
    from padan_linkage.crypto.process import keep_memory_private
    from padan_server.roles.provider import Provider

    keep_memory_private()
    run_server(settings, lambda: Provider(settings))


def run_server(settings: ServerConfig, make: Callable[[], Server]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reads agreements and tables again."""
    from padan_server.base.log import configure_logging, tell_of_threads
    from padan_server.roles.data_directory import DataDirectoryBusyError
    from padan_server.store.port import StoreFaultError

    configure_logging(settings.log_level, for_good=True)
    tell_of_threads()
    # Blocked here and in every thread to come, and waited for below: a handler could run at any
    # place, such as inside the lock of the very event that it sets.
    with _blocked({signal.SIGHUP, signal.SIGTERM, signal.SIGINT}) as awaited:
        try:
            running = make()
            running.start()
        except DataDirectoryBusyError:
            taken = "data_dir dipakai server lain. / data_dir is used by another server."
            _fail(CANNOT_START, taken)
        except (OSError, ValueError, RuntimeError, StoreFaultError) as e:
            _fail(CANNOT_START, f"Server tidak dapat dijalankan. / The server cannot start. {e}")
        while signal.sigwait(awaited) == signal.SIGHUP:
            running.reload()
        running.stop()


@contextmanager
def _blocked(awaited: set[signal.Signals]) -> Iterator[set[signal.Signals]]:
    """Signals kept for ``sigwait``; as before if the server fails, for who started it goes on.

    After a server that was stopped they stay blocked: one more SIGTERM changes no exit code.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    try:
        yield awaited
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise


def read_settings(path: Path, kind: type[Config]) -> Config:
    """The settings in ``path``; leaves with a message that names each wrong setting."""
    try:
        return load_config(path, kind)
    except OSError as e:
        _fail(BAD_CONFIG, f"{path}: {e.strerror}")
    except TomlTextError as e:
        _fail(BAD_CONFIG, f"{path}, {e.where}: {e.indonesian} / {e}")
    except ValidationError as e:
        _fail(BAD_CONFIG, "\n  ".join([f"{path}:", *explained(e)]))
    except SettingsError as e:  # of a variable that has to be JSON and is none
        _fail(BAD_CONFIG, f"variabel lingkungan / environment: {e}")


def _fail(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"padan-server: {message}\n")
    raise typer.Exit(code)


def main() -> None:
    """Entry point of the ``padan-server`` script."""
    # The store and what it keeps beside itself are made by libraries: nobody else reads them.
    os.umask(0o077)
    try:
        app()
    except ModuleNotFoundError as e:
        if (e.name or "").split(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(
            "padan-server: hanya klien yang terpasang; pasang dengan pip install 'padan[server]'. "
            "/ Only the client is installed; install with pip install 'padan[server]'.\n"
        )
        sys.exit(BAD_CONFIG)
