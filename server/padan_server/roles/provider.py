"""The provider put together: its parts are chosen here and handed to each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path

from padan.v1 import (
    agreement_service_pb2,
    agreement_service_pb2_grpc,
    direct_service_pb2,
    direct_service_pb2_grpc,
)
from padan.v1.reason_texts import ServerKind
from padan_linkage.agreement import Agreement, Mode
from padan_server.admission.enforcement import Enforcement
from padan_server.admission.suspensions import Suspensions
from padan_server.base.clock import Clock
from padan_server.base.config import ProviderConfig
from padan_server.base.damage import DamageWatch
from padan_server.base.failpoints import PROVIDER_NAMES, Failpoints
from padan_server.base.metrics import ProviderMetrics
from padan_server.direct.evaluators import Evaluators
from padan_server.direct.label_tables import ServedTables
from padan_server.direct.lists import BlindedLists
from padan_server.direct.published_tables import TablesFolder
from padan_server.direct.seeds import Seeds
from padan_server.direct.signed_tables import SignedTables
from padan_server.roles.inspection import Flaw
from padan_server.roles.maintenance import Ticker
from padan_server.roles.scrub import Scrub
from padan_server.roles.serving import Server
from padan_server.services.agreements import AgreementService
from padan_server.services.direct import DirectService
from padan_server.store.files.sums import Pace


class Provider(Server):
    """One provider of direct mode on one data directory; ``evaluators`` that it is handed stay."""

    KIND = ServerKind.PROVIDER

    def __init__(
        self,
        config: ProviderConfig,
        *,
        clock: Clock | None = None,
        evaluators: Evaluators | None = None,
    ) -> None:
        self.config = config
        self.metrics = ProviderMetrics()
        super().__init__(config, self.metrics, clock)
        self._compose()
        self._evaluators = evaluators or Evaluators(config.evaluation_workers)
        self._borrowed = evaluators is not None
        self._add_services()
        self._open()

    def _elsewhere(self) -> tuple[Path, ...]:
        return self.config.tables_dir, self.config.seeds_dir

    def _agreed_pins(self, agreement: Agreement) -> Collection[str]:
        return next((p.server_pins for p in agreement.parties if p.id == self.config.party), ())

    def _compose(self) -> None:
        config, store, book = self.config, self._store, self._book
        watch = DamageWatch(self.metrics)
        self._failpoints = Failpoints.from_environment(
            self.KIND, PROVIDER_NAMES, allowed=config.allow_failpoints
        )
        self._enforcement = Enforcement(book, store, self.clock, Mode.DIRECT, config.party)
        self._seeds = Seeds(config.seeds_dir)
        self._tables = ServedTables(
            TablesFolder(config.tables_dir),
            self._seeds,
            SignedTables(book, config.party, self.clock),
            store,
            self.clock,
            self._failpoints,
            watch,
            self._marks.claim,
        )
        self._scrub_by(Scrub(self._flaws, watch, self._stopping, config.scrub_mib))
        self._tickers.append(Ticker("retention", config.sweep_seconds, self._sweep))

    def _flaws(self, pace: Pace) -> Iterator[Flaw]:
        """What is wrong with the tables that have to be served, and with their seeds."""
        return map(Flaw.of, self._tables.scrub(pace))

    def _add_services(self) -> None:
        suspensions = Suspensions(self._store, self.clock)
        self._add(
            agreement_service_pb2.DESCRIPTOR.services_by_name["AgreementService"],
            agreement_service_pb2_grpc.add_AgreementServiceServicer_to_server,
            AgreementService(self._book, self._enforcement, None, suspensions, self._tokens),
        )
        self._lists = BlindedLists(
            self._store, self._tables, self._seeds, self._evaluators, self._failpoints, self.metrics
        )
        self._add(
            direct_service_pb2.DESCRIPTOR.services_by_name["DirectService"],
            direct_service_pb2_grpc.add_DirectServiceServicer_to_server,
            DirectService(
                self._enforcement,
                self._tables,
                self._lists,
                self._tokens,
                self.metrics,
                self._stopping,
                self.config.limits,
            ),
        )

    def _rescan(self) -> None:
        super()._rescan()
        self._tables.reload()

    def _recover(self) -> None:
        self._sweep()

    def _sweep(self) -> None:
        """Erase expired tables and forget old request ids, if the clock is to be believed."""
        if not self.clock.look():
            return
        self._tables.erase_expired()
        with self._store.write() as tx:
            tx.requests.forget(self.clock.now() - timedelta(days=self.config.request_id_days))

    def _close(self) -> None:
        if not self._borrowed:
            self._evaluators.close()
