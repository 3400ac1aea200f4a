"""Settings: one TOML file a server, each setting overridable by an environment variable.

The unit's variables begin with PADAN_UNIT_, the provider's with PADAN_PROVIDER_.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from padan_linkage.agreement import read_bounded, read_toml
from padan_linkage.agreement.model import Id
from padan_server.base.quantities import (
    Between,
    CallsASecond,
    Count,
    Days,
    Hours,
    LongSeconds,
    Moment,
    Seconds,
    SecondsOrNone,
    told,
)

_KIB, _MIB = 1024, 1024**2
#: Linux allows 4096 bytes and 255; what a server puts into a folder has names as well.
_LONGEST_PATH, _LONGEST_NAME = 1000, 200


def _port_exists(listen: str) -> str:
    if int(listen.rpartition(":")[2]) >= 1 << 16:
        raise told("Porta berakhir di 65535.", "Ports end at 65535.")
    return listen


def _is_path(given: object) -> object:
    if given == "":
        raise told("Tidak boleh kosong.", "Must not be empty.")
    if "\0" in str(given):
        raise told("Ada bita nol di dalamnya.", "There is a zero byte in it.")
    if (
        len(str(given)) > _LONGEST_PATH
        or max(map(len, Path(str(given)).parts), default=0) > _LONGEST_NAME
    ):
        raise told(
            f"Terlalu panjang: paling banyak {_LONGEST_PATH} huruf, dan {_LONGEST_NAME} tiap nama.",
            f"Too long: {_LONGEST_PATH} letters at most, and {_LONGEST_NAME} in each name.",
        )
    return given


def _lower(given: object) -> object:
    return given.lower() if isinstance(given, str) else given


_HOST = r"[A-Za-z0-9._-]{1,253}"
_Path = Annotated[Path, BeforeValidator(_is_path)]
_Level = Literal["debug", "info", "warning", "error", "critical"]

#: A host name, an IPv4 address or a bracketed IPv6 one, and a port; 0 is any that is free.
_Listen = Annotated[
    str,
    StringConstraints(pattern=rf"^({_HOST}|\[[0-9A-Fa-f:.]{{1,45}}\]):[0-9]{{1,5}}$"),
    AfterValidator(_port_exists),
]
#: The same without a port, and without brackets.
_Host = Annotated[str, StringConstraints(pattern=rf"^({_HOST}|[0-9A-Fa-f:.]{{1,45}})$")]
Pin = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", to_lower=True)]


class TlsConfig(BaseModel):
    """Mutual TLS: the CA that callers' certificates must chain to, and the unit's own."""

    model_config = ConfigDict(extra="forbid")

    ca: _Path
    certificate: _Path
    key: _Path


class CallRates(BaseModel):
    """Calls a second that a party may begin of each class; one second's worth at once."""

    model_config = ConfigDict(extra="forbid")

    real_time: CallsASecond = 5000.0
    batch: CallsASecond = 200.0
    upload: CallsASecond = 200.0
    watch: CallsASecond = 100.0
    administration: CallsASecond = 200.0


class CallLimits(BaseModel):
    """Bounds on every call. What is said of a party holds for each class of calls by itself."""

    model_config = ConfigDict(extra="forbid")

    message_bytes: Annotated[int, Between(64 * _KIB, 64 * _MIB)] = 4 * _MIB
    deadline_seconds: Seconds = 24 * 3600.0
    calls_per_party: Annotated[int, Between(1, 1024)] = 16
    waiting_per_party: Annotated[int, Between(0, 100_000)] = 1000
    watches_per_party: Annotated[int, Between(1, 1024)] = 32
    #: Agencies behind one address share this.
    connections_per_address: Count = 256
    #: Seconds that a connection may take to its first message, and that it may have no call.
    handshake_seconds: Seconds = 10.0
    idle_seconds: LongSeconds = 900.0
    rates: CallRates = CallRates()


class UnitLimits(CallLimits):
    """Bounds on what one caller can ask of the unit."""

    result_bytes: Annotated[int, Between(16 * _KIB, _MIB)] = 256 * _KIB
    sync_bytes: Annotated[int, Between(_KIB, _MIB**2)] = 32 * _MIB
    confirm_rows: Annotated[int, Between(1, 1000)] = 1000
    indexes: Count = 16
    #: Uploads that one party may have open in one flow.
    open_datasets: Count = 16
    #: Of the disk, for the datasets of one party in one flow.
    disk_share: Annotated[float, Between(1e-6, 1)] = 0.5


class ServerConfig(BaseSettings):
    """Settings that every server has.

    ``parties`` maps a party id to the SHA-256 digests, in hex, of the DER SubjectPublicKeyInfo of
    its certificates; several, so that a key can be changed without a gap. ``simulated_time`` starts
    the server's clock at a chosen moment: for rehearsals only.
    """

    #: Name of the SQLite file in ``data_dir``.
    STORE: ClassVar[str]

    listen: _Listen = "127.0.0.1:7443"
    data_dir: _Path
    agreements_dir: _Path
    database_url: str = ""
    tls: TlsConfig
    parties: dict[Id, list[Pin]]
    limits: CallLimits = CallLimits()
    rescan_seconds: Seconds = 60.0
    sweep_seconds: Seconds = 60.0
    request_id_days: Days = 30
    #: A server that was off for longer erases nothing until its clock has been accepted.
    away_hours: Hours = 72.0
    #: MiB a second that are compared with their checksums while nobody asks for it; 0: none are.
    scrub_mib: Annotated[float, Between(0.001, 100_000, or_zero=True)] = 8.0
    #: From the end of one round over everything to the next.
    scrub_hours: Hours = 24.0
    drain_seconds: SecondsOrNone = 20.0
    metrics_host: _Host = "127.0.0.1"
    metrics_port: Annotated[int, Between(0, 65535)] = 0
    log_level: Annotated[_Level, BeforeValidator(_lower)] = "info"
    simulated_time: Moment | None = None
    allow_failpoints: bool = False

    @model_validator(mode="after")
    def _one_party_a_pin(self) -> Self:
        owners: dict[str, str] = {}
        for party, pins in self.parties.items():
            for pin in pins:
                if owners.setdefault(pin, party) != party:
                    raise told(
                        f"parties: kunci {pin} disebut pada {owners[pin]} dan {party}.",
                        f"certificate pin {pin} belongs to {owners[pin]} and {party}.",
                    )
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
    run_workers: Annotated[int, Between(0, 64)] = 1
    match_threads: Annotated[int, Between(1, 256)] = 1
    run_attempts: Annotated[int, Between(1, 20)] = 3
    #: How often a run may go down with the server, whoever killed it, with nothing kept between.
    run_deaths: Annotated[int, Between(1, 1000)] = 10
    lease_seconds: Seconds = 60.0
    #: How long a run is worked on while another party's waits, at least, and how much of its time
    #: may go into taking it up again.
    run_turn_seconds: SecondsOrNone = 5.0
    run_resume_share: Annotated[float, Between(0.001, 1)] = 0.2
    #: Comparisons after which a run keeps what it has: some seconds of a core.
    range_pairs: Annotated[int, Between(1, 10**15)] = 2_000_000_000


class ProviderLimits(CallLimits):
    """Bounds on what one caller can ask of a provider.

    ``chunks_ahead`` is how many chunks of one stream may wait for their evaluation.
    """

    chunks_ahead: Annotated[int, Between(1, 64)] = 4


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

    party: Id
    tables_dir: _Path
    seeds_dir: _Path
    limits: ProviderLimits = ProviderLimits()
    evaluation_workers: Annotated[int, Between(0, 256)] = 0


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
        if field.annotation is Path and value and isinstance(value, str):
            document[name] = str(folder / value)
        elif field.annotation is TlsConfig and isinstance(value, dict):
            _anchor_paths(value, TlsConfig, folder)
