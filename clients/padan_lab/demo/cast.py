"""The two agencies and their servers: what they do in a demonstration, command by command."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from padan_client.base.language import t
from padan_lab.demo.deployment import Deployment, running
from padan_lab.demo.stopwatch import Stopwatch
from padan_linkage.agreement import JAKARTA, Flow


class Cast:
    """Both sides of one flow in one mode; the servers stop where the context ends.

    ``mode``: unit, direct (two parties), or auto (direct, and the unit for what stays open).
    """

    def __init__(self, site: Deployment, flow: Flow, mode: str) -> None:
        self._site, self._flow, self._mode = site, flow, mode
        self._servers: dict[str, contextlib.ExitStack] = {}
        where = "--agreement", site.agreement_id, "--flow", site.flow_id
        self._where = where

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for role in tuple(self._servers):
            self._stop(role)

    def publish(self, registry: Path, clock: Stopwatch, *options: str) -> dict[str, Any]:
        """Start the servers, agree on keys and publish; what the last publication printed."""
        told: dict[str, Any] = {}
        if self._mode != "direct":
            self._start("unit")
            with clock.stage("epoch", t("Epok kunci bersama", "Shared key epoch")):
                for party in (self._site.provider, self._site.requester):
                    self._site.run(party, "keys", "rotate", "--mode", "unit", *self._where)
            with clock.stage("publish", t("Registri diumumkan", "Registry published")):
                told = self._publish(registry, "unit", *options)
        if self._mode != "unit":
            with clock.stage("table", t("Tabel label diumumkan", "Label table published")):
                told = self._publish(registry, "direct", *options)
            self._start("provider")
        return told

    def confirm(self, asked: Path, ending: str, *options: str) -> dict[str, Any]:
        """Ask about a list; ``ending`` follows the names of the files that come of it."""
        folder = self._site.folder
        fields = ("--corrections", str(folder / f"perbaikan{ending}.csv"))
        return self._site.run(
            self._site.requester,
            "confirm",
            str(asked),
            *self._where,
            "--mode",
            self._mode,
            "--out",
            str(folder / f"codes{ending}.csv"),
            "--minutes",
            str(folder / f"berita-acara{ending}.json"),
            *(fields if self._flow.confirm else ()),
            *options,
            as_json=True,
        )

    def restart(self) -> None:
        """Stop the servers and start them again, on what they have kept."""
        for role in tuple(self._servers):
            self._stop(role)
            self._start(role)

    def _publish(self, registry: Path, mode: str, *options: str) -> dict[str, Any]:
        return self._site.run(
            self._site.provider,
            "publish",
            str(registry),
            *self._where,
            "--mode",
            mode,
            "--as-of",
            today(self._site).isoformat(),
            "--quarantine",
            str(self._site.folder / "registry.karantina.csv"),
            "--copies",
            str(self._site.folder / "registry.salinan.csv"),
            "--force",  # in mode auto it is published twice
            "--yes",
            *options,
            as_json=True,
        )

    def _start(self, role: str) -> None:
        server = contextlib.ExitStack()
        server.enter_context(running(self._site, role))
        self._servers[role] = server

    def _stop(self, role: str) -> None:
        self._servers.pop(role).close()


def today(site: Deployment) -> dt.date:
    """The day in Jakarta on the clock of the servers."""
    return (site.simulated_time or dt.datetime.now(dt.UTC)).astimezone(JAKARTA).date()
