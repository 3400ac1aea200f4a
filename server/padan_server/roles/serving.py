"""What unit and provider have in common as processes: a folder, TLS, health, a life.

A :class:`Server` holds one data directory, one store, the agreements and one gRPC server over
mutual TLS. A role adds its services and tickers in its constructor, then calls ``_open``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from concurrent import futures
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from padan.v1.reason_texts import ServerKind
from padan_linkage.agreement import Agreement, SignedAgreement
from padan_linkage.crypto.tls_files import TlsUse, read_tls
from padan_server.admission.agreements import AgreementBook
from padan_server.admission.identity import OwnCertificate, Pins
from padan_server.admission.restores import hold, use_up_day
from padan_server.base.accepting import Acceptable, Acceptances
from padan_server.base.clock import Clock, KeptClock, SimulatedClock, SystemClock, jakarta_day
from padan_server.base.config import ServerConfig
from padan_server.base.metrics import CallMetrics
from padan_server.roles.connections import (
    Connections,
    Unwanted,
    connections_within,
    most_of_one_address,
    open_descriptors,
    raise_descriptor_limit,
)
from padan_server.roles.data_directory import take_directory
from padan_server.roles.health import HealthService
from padan_server.roles.listening import bind, metrics_error
from padan_server.roles.maintenance import Ticker
from padan_server.roles.scrub import FIRST_SECONDS, Scrub
from padan_server.services.guard.handshakes import Heads
from padan_server.services.guard.interceptor import Guard
from padan_server.services.pages import PageTokens
from padan_server.store.files.disk import Disk
from padan_server.store.marks import Marks, require_known_format
from padan_server.store.sql.store import SqlStore

_log = structlog.get_logger(__name__)
_RENEW_BEFORE = timedelta(days=30)
#: Bytes of a call's headers.
_METADATA_BYTES = 8192
#: Seconds between two looks at who is connected.
_CONNECTIONS_SECONDS = 1.0
#: Seconds to the next, while some are being closed.
_FLOODING_SECONDS = 0.1
#: Seconds that peers have to hang up, once all calls are over.
_HANG_UP_SECONDS = 2.0


class Server:
    """One server on one data directory. Roles say what it serves and what it does beside that."""

    #: What the log calls it, ``unit_started``, ``provider_started``, and every refusal.
    KIND: ClassVar[ServerKind]

    def __init__(
        self,
        config: ServerConfig,
        metrics: CallMetrics,
        clock: Clock | None = None,
        disk: Disk | None = None,
    ) -> None:
        self._settings = config
        tls, now = config.tls, SystemClock().now()  # peers go by the real date as well
        self._tls = read_tls(tls.ca, tls.certificate, tls.key, TlsUse.SERVER, now)
        self._own = OwnCertificate(self._tls.certificate)
        self._own.require_apart(config.parties)
        self._lock = take_directory(config.data_dir)
        self._accepted = Acceptances(config.data_dir)
        try:
            require_known_format(config.data_dir, accept=self._accepts_store())
        except BaseException:
            os.close(self._lock)
            raise
        self._stopping = threading.Event()
        self._trusted = True
        self._counted = metrics
        self._store = self._opened()
        self._marks = Marks(self._store, config.data_dir, disk or Disk(), self._elsewhere())
        self.clock = self._kept_clock(clock)
        try:
            self._book = AgreementBook(
                config.agreements_dir, self._is_named_by, self._hold_what_was_lost
            )
        except BaseException:
            self._let_go()
            raise
        # Only now: a crash before this does it all again.
        for thing in (Acceptable.STORE, Acceptable.RESTORE):
            self._accepted.take(thing)
        self._tokens = PageTokens.at(config.data_dir / "page-token.key")
        self._tickers: list[Ticker] = [
            Ticker("folders", config.rescan_seconds, self._rescan),
            Ticker("clock", config.sweep_seconds, self._keep_time),
        ]
        self._health = HealthService(self._stopping)
        self._services: list[str] = []
        descriptors = raise_descriptor_limit()
        metrics.of_descriptors(descriptors, open_descriptors)
        wanted = config.limits.connections_per_address
        self._per_address = most_of_one_address(wanted, descriptors)
        self._most_connections = connections_within(descriptors)
        heads = Heads(self._store)
        self._unwanted = Unwanted()
        guard = Guard(
            Pins(config.parties),
            metrics,
            self._stopping,
            config.limits,
            self.KIND,
            heads,
            self._unwanted.add,
        )
        self._grpc = _grpc_server(config, guard, self._most_connections)
        self.port = 0

    def _opened(self) -> SqlStore:
        """The store. Raises StoreDoubtError, unless an operator has accepted it as it is."""
        config, accept = self._settings, self._accepts_store()
        try:
            return SqlStore(config.store_url, accept=accept, data_dir=config.data_dir)
        except BaseException:
            os.close(self._lock)
            raise

    def _accepts_store(self) -> bool:
        return any(map(self._accepted.lies, (Acceptable.STORE, Acceptable.RESTORE)))

    def _kept_clock(self, clock: Clock | None) -> KeptClock:
        """Count this start, and go on from the latest moment of the one before."""
        config, accepted = self._settings, self._accepted
        clock = clock or _clock(config)
        try:
            doubt = self._store.doubt or self._marks.doubted(self._holds_files)
            if doubt and accepted.lies(Acceptable.STORE):
                # Nothing tells it any more once it is marked: a start that dies finds this.
                accepted.leave(Acceptable.RESTORE)
            restored = clock.now() if accepted.lies(Acceptable.RESTORE) else None
            mark = self._marks.begin(holds_files=self._holds_files, restored=restored)
        except BaseException:
            self._let_go()
            raise
        self._restored, self._lost = mark.restored, restored is not None
        # The time of a rehearsal begins anew at every start.
        latest = None if config.simulated_time else mark.latest
        away = timedelta(hours=config.away_hours)
        return KeptClock(clock, latest, away=away)

    def _hold_what_was_lost(self, agreements: Collection[SignedAgreement]) -> None:
        """After an accepted loss: nobody goes on before all parties have agreed to.

        Whenever an agreement comes to light: its file may have been lost as well.
        """
        if self._restored is None:
            return
        held = hold(self._store, agreements, self._restored, self.clock.now())
        if held:
            _log.warning("agreements_held", agreements=held, cause="an operator accepted a loss")

    def _date_restore(self, now: datetime) -> None:
        """Where the clock was ahead at an accepted loss, the day that it was in truth counts too.

        ``now``: the present, believed.
        """
        # Spec 30, "Doubt", step 6.
        if self._restored is None or jakarta_day(self._restored) <= jakarta_day(now):
            return
        use_up_day(self._store, self._book.all(), now)
        self._restored = self._marks.date_restore(now)

    def _let_go(self) -> None:
        """Leave the data directory to another server."""
        self._store.close()
        os.close(self._lock)

    def _elsewhere(self) -> tuple[Path, ...]:
        """Folders outside the data directory that only its store can explain."""
        return ()

    def _holds_files(self) -> bool:
        """Whether the data directory holds what only its store can explain."""
        folders = (self._settings.data_dir / name for name in ("datasets", "runs", "releases"))
        return any(any(folder.iterdir()) for folder in folders if folder.is_dir())

    def _keep_time(self) -> None:
        """Look at the clock; remember what is believed, tell what is not."""
        clock, before = self.clock, self._trusted
        if self._accepted.take(Acceptable.CLOCK):
            clock.accept()
            _log.warning("clock_accepted", now=clock.now().isoformat())
        self._trusted = clock.look()
        self._counted.clock_believed.set(self._trusted)
        if self._trusted and not self._settings.simulated_time:
            self._date_restore(clock.now())
            self._marks.advance(clock.latest)
        elif before and not self._trusted:
            _log.error(
                "clock_doubted",
                latest=clock.latest.isoformat(),
                now=clock.shown().isoformat(),
                consequence="nothing is erased",
                remedy="set the clock right or, if now is right, tell the server: "
                "padan-server accept clock --data-dir DIR",
            )

    def _add(self, service: Any, register: Callable[[Any, grpc.Server], None], made: Any) -> None:
        """Serve ``made``; ``service`` is its descriptor, ``register`` the stub's function."""
        register(made, self._grpc)
        self._services.append(service.full_name)

    def _open(self) -> None:
        """Bind the port. Nothing is answered before :meth:`start`."""
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        reflection.enable_server_reflection(
            (*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME), self._grpc
        )
        tls = self._tls
        credentials = grpc.ssl_server_credentials(
            [(tls.key, tls.chain)], root_certificates=tls.authority, require_client_auth=True
        )
        self.port = bind(self._grpc, self._settings.listen, credentials)
        self._look_after_connections()
        self._serve_metrics()

    def _look_after_connections(self) -> None:
        connections = Connections(self.port, self._per_address, self._most_connections)
        self._connections = connections

        def look() -> None:
            unwanted = self._unwanted.taken()
            connections.look(unwanted)
            if unwanted:  # more may come at once: a look costs some milliseconds
                self._stopping.wait(_FLOODING_SECONDS)

        ticker = Ticker("connections", _CONNECTIONS_SECONDS, look)
        self._unwanted.wakes(ticker.now)
        self._tickers.append(ticker)

    def _serve_metrics(self) -> None:
        host, port = self._settings.metrics_host, self._settings.metrics_port
        if port:
            try:
                self._counted.serve(host, port)
            except OSError as error:
                raise metrics_error(host, port, error) from None

    def _agreed_pins(self, agreement: Agreement) -> Collection[str]:
        """What the agreement lets a server in this role show; empty where it does not say."""
        raise NotImplementedError

    def _is_named_by(self, agreement: Agreement) -> bool:
        pins = self._agreed_pins(agreement)
        return not pins or self._own.pin in pins

    def _rescan(self) -> None:
        """Read again what lies in folders."""
        self._book.reload()

    def _recover(self) -> None:
        """End what a crash left undone, before the first call."""

    def _begin(self) -> None:
        """Start what runs beside the calls."""

    def _end(self) -> None:
        """End it, once no new call gets in; calls under way may still need the store."""

    def _close(self) -> None:
        """Let go of what calls needed, after the last one."""

    def start(self) -> None:
        """Serve. What a crash left undone is ended first."""
        config = self._settings
        if config.simulated_time is not None:
            _log.warning(
                "SIMULATED TIME: this server ignores the real date; never use it for real data",
                start=config.simulated_time.isoformat(),
            )
        self._warn_of_expiry()
        self._keep_time()
        self._recover()
        self._begin()
        for ticker in self._tickers:
            ticker.start()
        self._grpc.start()
        self._set_health(health_pb2.HealthCheckResponse.SERVING)
        _log.info(f"{self.KIND}_started", port=self.port, parties=sorted(config.parties))

    def reload(self) -> None:
        """Read the folders again soon (SIGHUP)."""
        self._tickers[0].now()

    def stop(self) -> None:
        """Drain and stop: no new calls, leases given back, calls under way get their time."""
        self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._stopping.set()
        _log.info(f"{self.KIND}_draining")
        ended = self._grpc.stop(self._settings.drain_seconds)
        self._end()
        if not ended.wait(self._settings.drain_seconds + _HANG_UP_SECONDS):
            self._hang_up(ended)
        for ticker in self._tickers:
            ticker.stop()
        self._close()
        self._let_go()
        _log.info(f"{self.KIND}_stopped")

    def _hang_up(self, ended: threading.Event) -> None:
        """Close every connection: gRPC waits for peers, and some mean to be waited for."""
        # Spec 30, "Transport", step 10.
        while True:
            _log.warning("connections_cut", count=self._connections.close_all())
            if ended.wait(_HANG_UP_SECONDS):
                return

    def _warn_of_expiry(self) -> None:
        """The certificate is checked against the real date: so do all peers."""
        ends = self._own.expiry
        if ends - SystemClock().now() < _RENEW_BEFORE:
            _log.warning("certificate_expires", not_after=ends.isoformat())

    def _scrub_by(self, scrub: Scrub) -> None:
        """Have everything at rest gone round, now and then."""
        self._scrub, config = scrub, self._settings
        if config.scrub_mib:
            seconds = config.scrub_hours * 3600
            self._tickers.append(Ticker("scrub", seconds, scrub.round, FIRST_SECONDS))

    def _set_health(self, status: int) -> None:
        for service in ("", *self._services):
            self._health.set(service, status)


def _grpc_server(config: ServerConfig, guard: Guard, connections: int) -> grpc.Server:
    limits = config.limits
    return grpc.server(
        # Never used: every method has an executor of its own.
        futures.ThreadPoolExecutor(1),
        interceptors=[guard],
        options=[
            # Spec 30, "Transport", step 2.
            ("grpc.max_receive_message_length", limits.message_bytes),
            ("grpc.max_send_message_length", limits.message_bytes),
            ("grpc.so_reuseport", 0),
            # A peer that vanishes is noticed within a minute; one that pings too often is cut.
            # Spec 30, "Transport", step 4.
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.http2.ping_timeout_ms", 20_000),  # which ends it in fact, after a minute else
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ("grpc.http2.max_ping_strikes", 3),
            ("grpc.max_concurrent_streams", 128),
            # Headers: gRPC refuses those between this and twice as much at random otherwise.
            ("grpc.max_metadata_size", _METADATA_BYTES),
            ("grpc.absolute_max_metadata_size", _METADATA_BYTES),
            # What comes is bounded by connections and streams: nobody's call is dropped at random.
            ("grpc.server.max_pending_requests", 1_000_000),
            ("grpc.server.max_pending_requests_hard_limit", 1_000_000),
            # Spec 30, "Transport", step 9.
            ("grpc.server_handshake_timeout_ms", round(limits.handshake_seconds * 1000)),
            ("grpc.max_connection_idle_ms", round(limits.idle_seconds * 1000)),
            ("grpc.max_allowed_incoming_connections", connections),
        ],
    )


def _clock(config: ServerConfig) -> Clock:
    return SimulatedClock(config.simulated_time) if config.simulated_time else SystemClock()
