"""Prometheus metrics: counts, sizes and times; never a value, and no label with an open set."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server


class Metrics:
    """The unit's metrics in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = Counter(
            "padan_calls_total",
            "Calls ended.",
            ["method", "code", "reason"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "padan_call_seconds", "Time to end a call.", ["method"], registry=self.registry
        )
        self.active = Gauge("padan_calls_active", "Calls under way.", registry=self.registry)
        self.rows = Counter(
            "padan_uploaded_rows_total", "Table rows received and safe.", registry=self.registry
        )
        self.answers = Counter(
            "padan_confirmed_rows_total", "Rows answered in real time.", registry=self.registry
        )
        self.runs = Counter("padan_runs_total", "Runs ended.", ["state"], registry=self.registry)

    def serve(self, host: str, port: int) -> None:
        """Serve ``/metrics`` over HTTP from a thread of its own."""
        start_http_server(port, addr=host, registry=self.registry)
