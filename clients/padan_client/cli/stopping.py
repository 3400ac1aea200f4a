"""What a command says when it is stopped by Ctrl-C or SIGTERM: what was done, how to go on."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import number

if TYPE_CHECKING:
    from padan_client.home.jobs import Job, JobStore
    from padan_client.protocol.progress import Progress


class StoppedError(KeyboardInterrupt):
    """A command was stopped; the message says what was done and how to go on."""


def take_sigterm() -> None:
    """Let SIGTERM stop a command as Ctrl-C does, though whoever started it had both blocked."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})


@contextmanager
def telling(tell: Callable[[], str]) -> Iterator[None]:
    """Where what is done within is stopped, ``tell`` says what was done so far."""
    try:
        yield
    except StoppedError:
        raise
    except KeyboardInterrupt:
        raise StoppedError(tell()) from None


def again(*more: str) -> str:
    """How to go on: the command that was given."""
    command = shlex.join(["padan", *sys.argv[1:], *more])
    return t(f"Lanjutkan dengan perintah yang sama: {command}", f"Go on with: {command}")


def so_far(jobs: JobStore, seen: Mapping[str, Progress]) -> str:
    """What the unfinished jobs of this command have done, and what was charged for it."""
    told = [_of_job(job, seen) for job in jobs.unfinished]
    nothing = t(
        "Belum ada yang dikirim; tidak ada kuota yang terpakai.",
        "Nothing was sent yet, and no quota was used.",
    )
    return " ".join(told) or nothing


def _of_job(job: Job, seen: Mapping[str, Progress]) -> str:
    match job.kind:
        case "confirm":
            return _of_run(job, seen)
        case "confirm-direct":
            asked = number(seen["evaluate"].done if "evaluate" in seen else 0)
            return t(
                f"{asked} pertanyaan buta sudah dijawab dan memakai kuota; yang sudah dijawab "
                "tidak dibayar lagi.",
                f"{asked} blind questions were answered and used quota; what was answered is not "
                "charged again.",
            )
        case _:
            return t(
                "Registri yang baru belum berlaku dan yang lama tidak berubah; bagian yang sudah "
                "sampai tidak dikirim lagi.",
                "The new registry is not in use yet and the old one is unchanged; what has arrived "
                "is not sent again.",
            )


def _of_run(job: Job, seen: Mapping[str, Progress]) -> str:
    if run := job.names.get("run", ""):
        name = run.rpartition("/")[2]
        return t(
            f"Daftar sudah sampai dan pemadanan {name} berjalan terus di unit: kuotanya sudah "
            "terpakai dan tidak terpakai lagi bila dilanjutkan.",
            f"The list has arrived and run {name} goes on at the unit: its quota is used, and is "
            "not used again by going on.",
        )
    sent = seen.get("upload")
    rows = t(
        f"{number(sent.done)} dari {number(sent.total)} baris tabel sudah dikirim; ",
        f"{number(sent.done)} of {number(sent.total)} table rows were sent; ",
    ) if sent else ""  # fmt: skip
    return rows + t("kuota belum terpakai.", "no quota was used.")
