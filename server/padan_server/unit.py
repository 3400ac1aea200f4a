"""The linkage unit put together: this module alone chooses concrete parts.

``Unit(config)`` opens the store and the files, ends what a crash left undone, and is then ready to
``start``. Everything it needs from outside (clock, matching engine, disk) can be handed in.
"""

from __future__ import annotations

import fcntl
import os
import threading
from concurrent import futures
from datetime import timedelta
from pathlib import Path

import grpc
import structlog
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from padan.v1 import (
    agreement_service_pb2,
    agreement_service_pb2_grpc,
    confirmation_service_pb2,
    confirmation_service_pb2_grpc,
    dataset_service_pb2,
    dataset_service_pb2_grpc,
    run_service_pb2,
    run_service_pb2_grpc,
)
from padan_server.agreements import AgreementBook
from padan_server.clock import Clock, SimulatedClock, SystemClock
from padan_server.config import UnitConfig
from padan_server.confirmations import Confirmations, IndexCache
from padan_server.datasets import Datasets
from padan_server.enforcement import Enforcement
from padan_server.engine import Engine
from padan_server.epochs import Epochs
from padan_server.failpoints import Failpoints
from padan_server.identity import Pins, expiry
from padan_server.maintenance import Maintenance, Ticker
from padan_server.metrics import Metrics
from padan_server.pages import PageTokens
from padan_server.runner import Runner, RunnerSettings
from padan_server.runs import Bell, Runs
from padan_server.services.agreements import AgreementService
from padan_server.services.confirmations import ConfirmationService
from padan_server.services.datasets import DatasetService
from padan_server.services.interceptor import Guard
from padan_server.services.runs import OperationService, RunService
from padan_server.store.files import ColumnFiles, Disk
from padan_server.store.sql import SqlStore
from padan_server.uploads import Uploads
from padan_server.writers import Writers

_log = structlog.get_logger(__name__)
_RENEW_BEFORE = timedelta(days=30)
_SERVICES = (
    agreement_service_pb2.DESCRIPTOR.services_by_name["AgreementService"].full_name,
    dataset_service_pb2.DESCRIPTOR.services_by_name["DatasetService"].full_name,
    run_service_pb2.DESCRIPTOR.services_by_name["RunService"].full_name,
    confirmation_service_pb2.DESCRIPTOR.services_by_name["ConfirmationService"].full_name,
    operations_pb2.DESCRIPTOR.services_by_name["Operations"].full_name,
)


class DataDirectoryBusyError(Exception):
    """Another unit uses the data directory."""


class Unit:
    """One linkage unit on one data directory."""

    def __init__(
        self,
        config: UnitConfig,
        engine: Engine,
        *,
        clock: Clock | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.config = config
        config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _lock(config.data_dir / "lock")
        self._stopping = threading.Event()
        self.metrics = Metrics()
        self.clock = clock or _clock(config)
        self._store = SqlStore(config.store_url)
        self._book = AgreementBook(config.agreements_dir)
        self._compose(engine, ColumnFiles(config.data_dir, disk))
        self._health = health.HealthServicer()
        self._server = self._make_server()
        self.port = self._bind()

    def _compose(self, engine: Engine, files: ColumnFiles) -> None:
        config, store, book = self.config, self._store, self._book
        failpoints = Failpoints.from_environment(allowed=config.allow_failpoints)
        writers, bell = Writers(), Bell()
        indexes = IndexCache(engine, files, config.limits.indexes)
        self._tokens = PageTokens.at(config.data_dir / "page-token.key")
        self._enforcement = Enforcement(book, store, self.clock)
        self._datasets = Datasets(store, files, writers, indexes, failpoints)
        self._uploads = Uploads(store, files, writers, failpoints, config.limits.sync_bytes)
        self._runs = Runs(store, files, bell, failpoints, self._stopping)
        self._confirmations = Confirmations(store, indexes, failpoints, config.limits.confirm_rows)
        self._runner = Runner(
            store,
            files,
            engine,
            self._enforcement,
            self.clock,
            bell,
            self.metrics,
            failpoints,
            self._stopping,
            RunnerSettings(
                config.run_workers,
                config.match_threads,
                config.run_attempts,
                config.lease_seconds,
            ),
        )
        self._maintenance = Maintenance(
            store, files, self._datasets, self.clock, config.request_id_days
        )
        self._tickers = (
            Ticker("agreements", config.rescan_seconds, book.reload),
            Ticker("retention", config.sweep_seconds, self._maintenance.sweep),
        )

    def _make_server(self) -> grpc.Server:
        limits = self.config.limits
        server = grpc.server(
            futures.ThreadPoolExecutor(self.config.rpc_threads, thread_name_prefix="rpc"),
            interceptors=[
                Guard(
                    Pins(self.config.parties),
                    self.metrics,
                    self._stopping,
                    limits,
                )
            ],
            maximum_concurrent_rpcs=4 * self.config.rpc_threads,
            options=[
                ("grpc.max_receive_message_length", limits.message_bytes),
                ("grpc.max_send_message_length", limits.message_bytes),
                ("grpc.so_reuseport", 0),
                # A peer that vanishes is noticed within a minute; one that pings too often is cut.
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.keepalive_timeout_ms", 20_000),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.http2.max_ping_strikes", 3),
                ("grpc.max_concurrent_streams", 128),
            ],
        )
        agreement_service_pb2_grpc.add_AgreementServiceServicer_to_server(
            AgreementService(
                self._book,
                self._enforcement,
                Epochs(self._store),
                self._store,
                self.clock,
                self._tokens,
            ),
            server,
        )
        dataset_service_pb2_grpc.add_DatasetServiceServicer_to_server(
            DatasetService(
                self._enforcement, self._datasets, self._uploads, self._tokens, self.metrics
            ),
            server,
        )
        run_service_pb2_grpc.add_RunServiceServicer_to_server(
            RunService(
                self._enforcement,
                self._runs,
                self._tokens,
                limits.result_bytes,
            ),
            server,
        )
        confirmation_service_pb2_grpc.add_ConfirmationServiceServicer_to_server(
            ConfirmationService(self._enforcement, self._confirmations, self.metrics), server
        )
        operations_pb2_grpc.add_OperationsServicer_to_server(
            OperationService(self._enforcement, self._runs, self._tokens), server
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(
            (*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server
        )
        return server

    def _bind(self) -> int:
        tls = self.config.tls
        credentials = grpc.ssl_server_credentials(
            [(tls.key.read_bytes(), tls.certificate.read_bytes())],
            root_certificates=tls.ca.read_bytes(),
            require_client_auth=True,
        )
        port = self._server.add_secure_port(self.config.listen, credentials)
        if port == 0:
            raise OSError(f"cannot listen on {self.config.listen}")
        return int(port)

    def start(self) -> None:
        """Serve. What a crash left undone is ended first."""
        if self.config.simulated_time is not None:
            _log.warning(
                "SIMULATED TIME: this unit ignores the real date; never use it for real data",
                start=self.config.simulated_time.isoformat(),
            )
        self._warn_of_expiry()
        self._maintenance.recover()
        self._runner.start()
        for ticker in self._tickers:
            ticker.start()
        if self.config.metrics_port:
            self.metrics.serve(self.config.metrics_host, self.config.metrics_port)
        self._server.start()
        self._set_health(health_pb2.HealthCheckResponse.SERVING)
        _log.info("unit_started", port=self.port, parties=sorted(self.config.parties))

    def reload(self) -> None:
        """Read the agreements again soon (SIGHUP)."""
        self._tickers[0].now()

    def stop(self) -> None:
        """Drain and stop: no new calls, leases given back, calls under way get their time."""
        self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._stopping.set()
        _log.info("unit_draining")
        ended = self._server.stop(self.config.drain_seconds)
        self._runner.join()
        ended.wait()
        for ticker in self._tickers:
            ticker.stop()
        self._store.close()
        os.close(self._lock)
        _log.info("unit_stopped")

    def _warn_of_expiry(self) -> None:
        """The certificate is checked against the real date: so do all peers."""
        ends = expiry(self.config.tls.certificate.read_bytes())
        if ends - SystemClock().now() < _RENEW_BEFORE:
            _log.warning("certificate_expires", not_after=ends.isoformat())

    def _set_health(self, status: int) -> None:
        for service in ("", *_SERVICES):
            self._health.set(service, status)


def _clock(config: UnitConfig) -> Clock:
    return SimulatedClock(config.simulated_time) if config.simulated_time else SystemClock()


def _lock(path: Path) -> int:
    """Hold the data directory for this process; the kernel lets go when it dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DataDirectoryBusyError(path.parent) from None
    return descriptor
