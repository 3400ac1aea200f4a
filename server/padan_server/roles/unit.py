"""The linkage unit put together: its parts are chosen here and handed to each other.

``Unit(config)`` opens the store and the files, ends what a crash left undone, and is then ready to
``start``. Everything it needs from outside (clock, matching engine, disk) can be handed in.
"""

from __future__ import annotations

from collections.abc import Collection

from google.longrunning import operations_pb2, operations_pb2_grpc

from padan.v1 import (
    agreement_service_pb2,
    agreement_service_pb2_grpc,
    confirmation_service_pb2,
    confirmation_service_pb2_grpc,
    dataset_service_pb2,
    dataset_service_pb2_grpc,
    release_service_pb2,
    release_service_pb2_grpc,
    run_service_pb2,
    run_service_pb2_grpc,
)
from padan.v1.reason_texts import ServerKind
from padan_linkage.agreement import Agreement
from padan_server.admission.enforcement import Enforcement
from padan_server.admission.epochs import Epochs
from padan_server.admission.ledger import Ledger
from padan_server.admission.suspensions import Suspensions
from padan_server.base.clock import Clock, jakarta_day
from padan_server.base.config import UnitConfig
from padan_server.base.damage import DamageWatch
from padan_server.base.failpoints import Failpoints
from padan_server.base.metrics import Metrics
from padan_server.datasets.lifecycle import Datasets, Followers
from padan_server.datasets.storage_share import StorageShare
from padan_server.datasets.table_locks import TableLocks
from padan_server.datasets.uploads import Uploads
from padan_server.matching.confirmations import Confirmations
from padan_server.matching.engine import Engine
from padan_server.matching.indexes import Indexes, Warmer
from padan_server.matching.metering import SYNC_SECONDS, Meters
from padan_server.matching.run_signal import RunSignal
from padan_server.matching.runner import Runner, RunnerSettings
from padan_server.matching.runs import Runs
from padan_server.releases.files import ReleaseFiles
from padan_server.releases.lifecycle import Releases
from padan_server.roles.inspection import Inspection
from padan_server.roles.maintenance import Maintenance, Ticker
from padan_server.roles.scrub import Scrub
from padan_server.roles.serving import Server
from padan_server.services.agreements import AgreementService
from padan_server.services.confirmations import ConfirmationService
from padan_server.services.datasets import DatasetService
from padan_server.services.releases import ReleaseService
from padan_server.services.runs import OperationService, RunService
from padan_server.store.files.columns import ColumnFiles
from padan_server.store.files.disk import Aside, Disk
from padan_server.store.files.meters import MeterFiles


class Unit(Server):
    """One linkage unit on one data directory."""

    KIND = ServerKind.UNIT

    def __init__(
        self,
        config: UnitConfig,
        engine: Engine,
        *,
        clock: Clock | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.config = config
        self.metrics = Metrics()
        super().__init__(config, self.metrics, clock, disk)
        self._compose(engine, disk or Disk())
        self._add_services()
        self._open()

    def _agreed_pins(self, agreement: Agreement) -> Collection[str]:
        return agreement.unit_pins

    def _compose(self, engine: Engine, disk: Disk) -> None:
        config, store = self.config, self._store
        watch = DamageWatch(self.metrics)
        files = ColumnFiles(config.data_dir, disk, watch)
        share = StorageShare(disk, config.data_dir, config.limits.disk_share)
        failpoints = Failpoints.from_environment(allowed=config.allow_failpoints)
        locks, signal = TableLocks(), RunSignal()
        indexes = Indexes(engine, files, config.limits.indexes)
        self._ledger = Ledger(store, config.data_dir)
        self._meters = Meters(self._meter_files(disk, watch))
        self._warmer = Warmer(indexes)
        self._enforcement = Enforcement(self._book, store, self.clock)
        followers = Followers(committed=self._warmer.warm, erased=indexes.drop)
        self._datasets = Datasets(
            store, files, locks, share, followers, failpoints, config.limits.open_datasets
        )
        self._releases = Releases(store, ReleaseFiles(config.data_dir, disk), failpoints, watch)
        self._uploads = Uploads(store, files, locks, failpoints, config.limits.sync_bytes)
        self._runs = Runs(store, files, self._ledger, signal, failpoints, self._stopping)
        self._confirmations = Confirmations(
            store, self._ledger, indexes, self._meters, failpoints, config.limits.confirm_rows
        )
        self._runner = Runner(
            store,
            files,
            indexes,
            self._meters,
            engine,
            self._enforcement,
            self.clock,
            signal,
            self.metrics,
            failpoints,
            self._stopping,
            RunnerSettings(
                config.run_workers,
                config.match_threads,
                config.run_attempts,
                config.run_deaths,
                config.lease_seconds,
                config.run_turn_seconds,
                config.run_resume_share,
            ),
        )
        self._maintenance = Maintenance(
            store,
            files,
            self._datasets,
            self._releases,
            self._meters,
            self._enforcement.is_over,
            Aside(config.data_dir),
            self.clock,
            config.request_id_days,
        )
        self._tickers.append(Ticker("meters", SYNC_SECONDS, self._meters.sync))
        self._tickers.append(Ticker("retention", config.sweep_seconds, self._maintenance.sweep))
        self._scrub_by(
            Scrub(
                lambda pace: Inspection(config.data_dir, store, files.checks, pace).findings(),
                watch,
                self._stopping,
                config.scrub_mib,
                drop=indexes.drop,
                doubt=self._meters.doubt,
            )
        )

    def _meter_files(self, disk: Disk, watch: DamageWatch) -> MeterFiles:
        """The meters. Raises MeterSecretError where what was asked could not be counted on."""
        with self._store.read() as tx:
            asked = bool(tx.quotas.epochs())
        lost = jakarta_day(self.clock.now()) if self._lost else None
        try:
            return MeterFiles(self.config.data_dir, disk, watch, asked=asked, lost=lost)
        except BaseException:
            self._let_go()
            raise

    def _add_services(self) -> None:
        limits, enforcement, tokens = self.config.limits, self._enforcement, self._tokens
        epochs, suspensions = Epochs(self._store), Suspensions(self._store, self.clock)
        self._add(
            agreement_service_pb2.DESCRIPTOR.services_by_name["AgreementService"],
            agreement_service_pb2_grpc.add_AgreementServiceServicer_to_server,
            AgreementService(self._book, enforcement, epochs, suspensions, tokens),
        )
        self._add(
            dataset_service_pb2.DESCRIPTOR.services_by_name["DatasetService"],
            dataset_service_pb2_grpc.add_DatasetServiceServicer_to_server,
            DatasetService(enforcement, self._datasets, self._uploads, tokens, self.metrics),
        )
        self._add(
            run_service_pb2.DESCRIPTOR.services_by_name["RunService"],
            run_service_pb2_grpc.add_RunServiceServicer_to_server,
            RunService(enforcement, self._runs, tokens, limits.result_bytes),
        )
        self._add(
            confirmation_service_pb2.DESCRIPTOR.services_by_name["ConfirmationService"],
            confirmation_service_pb2_grpc.add_ConfirmationServiceServicer_to_server,
            ConfirmationService(enforcement, self._confirmations, self.metrics),
        )
        self._add(
            release_service_pb2.DESCRIPTOR.services_by_name["ReleaseService"],
            release_service_pb2_grpc.add_ReleaseServiceServicer_to_server,
            ReleaseService(enforcement, self._releases, tokens, self._stopping),
        )
        self._add(
            operations_pb2.DESCRIPTOR.services_by_name["Operations"],
            operations_pb2_grpc.add_OperationsServicer_to_server,
            OperationService(enforcement, self._runs, tokens),
        )

    def _recover(self) -> None:
        self._ledger.recover()
        self._maintenance.recover()

    def _begin(self) -> None:
        self._ledger.start()
        self._warmer.start()
        self._runner.start()

    def _end(self) -> None:
        self._warmer.stop()
        self._runner.join()

    def _close(self) -> None:
        self._ledger.stop()
        self._meters.close()
