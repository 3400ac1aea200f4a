"""Settings: one TOML file a server, each setting overridable by an environment variable.

The unit's variables begin with PADAN_UNIT_, the provider's with PADAN_PROVIDER_.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from padan_linkage.agreement import read_bounded, read_toml


def _port_exists(listen: str) -> str:
    if int(listen.rpartition(":")[2]) >= 1 << 16:
        raise ValueError("ports end at 65535")
    return listen


#: A host name, an IPv4 address or a bracketed IPv6 one, and a port; 0 is any that is free.
_Listen = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$"),
    AfterValidator(_port_exists),
]
Pin = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", to_lower=True)]


class TlsConfig(BaseModel):
    """Mutual TLS: the CA that callers' certificates must chain to, and the unit's own."""

    model_config = ConfigDict(extra="forbid")

    ca: Path
    certificate: Path
    key: Path


class CallRates(BaseModel):
    """Calls a second that a party may begin of each class; one second's worth at once."""

    model_config = ConfigDict(extra="forbid")

    real_time: Annotated[float, Field(gt=0)] = 5000.0
    batch: Annotated[float, Field(gt=0)] = 200.0
    upload: Annotated[float, Field(gt=0)] = 200.0
    watch: Annotated[float, Field(gt=0)] = 100.0
    administration: Annotated[float, Field(gt=0)] = 200.0


class CallLimits(BaseModel):
    """Bounds on every call. What is said of a party holds for each class of calls by itself."""

    model_config = ConfigDict(extra="forbid")

    message_bytes: Annotated[int, Field(ge=64 * 1024, le=64 * 1024**2)] = 4 * 1024**2
    deadline_seconds: Annotated[float, Field(gt=0)] = 24 * 3600.0
    calls_per_party: Annotated[int, Field(ge=1, le=1024)] = 16
    waiting_per_party: Annotated[int, Field(ge=0, le=100_000)] = 1000
    watches_per_party: Annotated[int, Field(ge=1, le=1024)] = 32
    #: Agencies behind one address share this.
    connections_per_address: Annotated[int, Field(ge=1)] = 256
    #: Seconds that a connection may take to its first message, and that it may have no call.
    handshake_seconds: Annotated[float, Field(gt=0)] = 10.0
    idle_seconds: Annotated[float, Field(ge=1)] = 900.0
    rates: CallRates = CallRates()


class UnitLimits(CallLimits):
    """Bounds on what one caller can ask of the unit."""

    result_bytes: Annotated[int, Field(ge=16 * 1024, le=1024**2)] = 256 * 1024
    sync_bytes: Annotated[int, Field(ge=1024)] = 32 * 1024**2
    confirm_rows: Annotated[int, Field(ge=1, le=1000)] = 1000
    indexes: Annotated[int, Field(ge=1)] = 16
    #: Uploads that one party may have open in one flow.
    open_datasets: Annotated[int, Field(ge=1)] = 16
    #: Of the disk, for the datasets of one party in one flow.
    disk_share: Annotated[float, Field(gt=0, le=1)] = 0.5


class ServerConfig(BaseSettings):
    """Settings that every server has.

    ``parties`` maps a party id to the SHA-256 digests, in hex, of the DER SubjectPublicKeyInfo of
    its certificates; several, so that a key can be changed without a gap. ``simulated_time`` starts
    the server's clock at a chosen moment: for rehearsals only.
    """

    #: Name of the SQLite file in ``data_dir``.
    STORE: ClassVar[str]

    listen: _Listen = "127.0.0.1:7443"
    data_dir: Path
    agreements_dir: Path
    database_url: str = ""
    tls: TlsConfig
    parties: dict[str, list[Pin]]
    limits: CallLimits = CallLimits()
    rescan_seconds: Annotated[float, Field(gt=0)] = 60.0
    sweep_seconds: Annotated[float, Field(gt=0)] = 60.0
    request_id_days: Annotated[int, Field(ge=1)] = 30
    #: A server that was off for longer erases nothing until its clock has been accepted.
    away_hours: Annotated[float, Field(gt=0)] = 72.0
    #: MiB a second that are compared with their checksums while nobody asks for it; 0: none are.
    scrub_mib: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 8.0
    #: From the end of one round over everything to the next.
    scrub_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 24.0
    drain_seconds: Annotated[float, Field(ge=0)] = 20.0
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    log_level: str = "info"
    simulated_time: AwareDatetime | None = None
    allow_failpoints: bool = False

    @model_validator(mode="after")
    def _one_party_a_pin(self) -> Self:
        owners: dict[str, str] = {}
        for party, pins in self.parties.items():
            for pin in pins:
                if owners.setdefault(pin, party) != party:
                    raise ValueError(f"certificate pin {pin} belongs to {owners[pin]} and {party}")
        return self

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the store: the configured one, or SQLite in ``data_dir``."""
        return self.database_url or f"sqlite:///{self.data_dir / self.STORE}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


class UnitConfig(ServerConfig):
    """Settings of ``padan-server unit``."""

    STORE = "unit.sqlite"
    model_config = SettingsConfigDict(
        env_prefix="PADAN_UNIT_", env_nested_delimiter="__", extra="forbid"
    )

    limits: UnitLimits = UnitLimits()
    run_workers: Annotated[int, Field(ge=0, le=64)] = 1
    match_threads: Annotated[int, Field(ge=1, le=256)] = 1
    run_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    #: How often a run may go down with the server, whoever killed it, with nothing kept between.
    run_deaths: Annotated[int, Field(ge=1, le=1000)] = 10
    lease_seconds: Annotated[float, Field(gt=0)] = 60.0
    #: Comparisons after which a run keeps what it has: some seconds of a core.
    range_pairs: Annotated[int, Field(ge=1)] = 2_000_000_000


class ProviderLimits(CallLimits):
    """Bounds on what one caller can ask of a provider.

    ``chunks_ahead`` is how many chunks of one stream may wait for their evaluation.
    """

    chunks_ahead: Annotated[int, Field(ge=1, le=64)] = 4


class ProviderConfig(ServerConfig):
    """Settings of ``padan-server provider``.

    ``party`` is whose registry answers: only flows that it provides are served. ``tables_dir`` is
    where ``padan publish --mode direct`` puts the label tables, ``seeds_dir`` where it puts the
    secret seed of each epoch's key. ``evaluation_workers`` 0 means one for each processor.
    """

    STORE = "provider.sqlite"
    model_config = SettingsConfigDict(
        env_prefix="PADAN_PROVIDER_", env_nested_delimiter="__", extra="forbid"
    )

    party: str
    tables_dir: Path
    seeds_dir: Path
    limits: ProviderLimits = ProviderLimits()
    evaluation_workers: Annotated[int, Field(ge=0, le=256)] = 0


Config = TypeVar("Config", bound=ServerConfig)


def load_config(path: Path, kind: type[Config]) -> Config:
    """Read ``path`` (TOML); environment variables win. Relative paths start at the file's folder.

    Raises pydantic.ValidationError, OSError or TomlTextError.
    """
    document = read_toml(read_bounded(path).removeprefix(codecs.BOM_UTF8))
    _anchor_paths(document, kind, path.resolve().parent)
    return kind(**document)


def _anchor_paths(document: dict[str, Any], kind: type[BaseModel], folder: Path) -> None:
    for name, field in kind.model_fields.items():
        value = document.get(name)
        if field.annotation is Path and isinstance(value, str):
            document[name] = str(folder / value)
        elif field.annotation is TlsConfig and isinstance(value, dict):
            _anchor_paths(value, TlsConfig, folder)
