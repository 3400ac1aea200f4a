"""Prometheus metrics: counts, sizes and times; never a value, and no label with an open set."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server


class CallMetrics:
    """What every server counts of its calls, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "padan_calls_total",
            "Calls ended.",
            ["method", "code", "reason"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "padan_call_seconds", "Time to end a call.", ["method"], registry=self.registry
        )
        #: What counts an ending: prometheus_client looks for it by its labels each time.
        self._ended: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        self.active = Gauge("padan_calls_active", "Calls under way.", registry=self.registry)
        self._admissions = Counter(
            "padan_call_admissions_total",
            "Calls admitted to their party's line, and refused because of its limits.",
            ["class", "outcome"],
            registry=self.registry,
        )
        self._waiting = Gauge(
            "padan_calls_waiting",
            "Calls that wait for others of their party.",
            ["class"],
            registry=self.registry,
        )
        self.clock_believed = Gauge(
            "padan_clock_believed",
            "1 while the clock is believed, 0 while nothing is erased because of it.",
            registry=self.registry,
        )
        self._blocks = Counter(
            "padan_blocks_checked_total",
            "Blocks of files compared with their checksums.",
            registry=self.registry,
        )
        self._damaged = Gauge(
            "padan_damaged_files", "Files known to be damaged.", registry=self.registry
        )

    def ended(self, method: str, code: str, reason: str, seconds: float) -> None:
        """Count a call that has ended."""
        key = method, code, reason
        if key not in self._ended:
            self._ended[key] = self._calls.labels(*key), self._seconds.labels(method)
        calls, took = self._ended[key]
        calls.inc()
        took.observe(seconds)

    def checked(self, blocks: int) -> None:
        """Count blocks that were compared."""
        self._blocks.inc(blocks)

    def damaged(self, files: int) -> None:
        """Show how many files are known to be damaged."""
        self._damaged.set(files)

    def of_descriptors(self, limit: int, opened: Callable[[], float]) -> None:
        """Tell how many descriptors there may be, and how many are ``opened`` when read."""
        for name, text, told in (
            ("padan_descriptors_limit", "Descriptors that there may be.", lambda: limit),
            ("padan_descriptors_open", "Descriptors that are open.", opened),
        ):
            Gauge(name, text, registry=self.registry).set_function(told)

    def counted(self, kind: str, waiting: Callable[[], float]) -> Callable[[str], None]:
        """What counts the admissions of a class by outcome; ``waiting`` is asked when read."""
        self._waiting.labels(kind).set_function(waiting)
        outcomes = {
            outcome: self._admissions.labels(kind, outcome)
            for outcome in ("admitted", "too_many_calls", "call_rate_exceeded")
        }
        return lambda outcome: outcomes[outcome].inc()

    def serve(self, host: str, port: int) -> None:
        """Serve ``/metrics`` over HTTP from a thread of its own."""
        start_http_server(port, addr=host, registry=self.registry)


class Metrics(CallMetrics):
    """The unit's metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = Counter(
            "padan_uploaded_rows_total", "Table rows received and safe.", registry=self.registry
        )
        self.answers = Counter(
            "padan_confirmed_rows_total", "Rows answered in real time.", registry=self.registry
        )
        self.runs = Counter("padan_runs_total", "Runs ended.", ["state"], registry=self.registry)


class ProviderMetrics(CallMetrics):
    """The provider's metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.committed = Counter(
            "padan_committed_elements_total", "Elements of lists charged.", registry=self.registry
        )
        self.evaluated = Counter(
            "padan_evaluated_elements_total",
            "Elements evaluated, repeated ones too.",
            registry=self.registry,
        )
        self.table_bytes = Counter(
            "padan_table_bytes_total", "Bytes of label tables sent.", registry=self.registry
        )
