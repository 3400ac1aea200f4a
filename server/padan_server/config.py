"""Settings of the linkage unit: one TOML file, each setting overridable by PADAN_UNIT_*."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

Pin = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", to_lower=True)]


class TlsConfig(BaseModel):
    """Mutual TLS: the CA that callers' certificates must chain to, and the unit's own."""

    model_config = ConfigDict(extra="forbid")

    ca: Path
    certificate: Path
    key: Path


class Limits(BaseModel):
    """Bounds on what one caller can ask for."""

    model_config = ConfigDict(extra="forbid")

    message_bytes: Annotated[int, Field(ge=64 * 1024, le=64 * 1024**2)] = 4 * 1024**2
    result_bytes: Annotated[int, Field(ge=16 * 1024, le=1024**2)] = 256 * 1024
    sync_bytes: Annotated[int, Field(ge=1024)] = 8 * 1024**2
    deadline_seconds: Annotated[float, Field(gt=0)] = 24 * 3600.0
    confirm_rows: Annotated[int, Field(ge=1, le=1000)] = 1000
    calls_per_party: Annotated[int, Field(ge=1)] = 16
    indexes: Annotated[int, Field(ge=1)] = 16


class UnitConfig(BaseSettings):
    """Settings of ``padan-server unit``.

    ``parties`` maps a party id to the SHA-256 digests, in hex, of the DER SubjectPublicKeyInfo of
    its certificates; several, so that a key can be changed without a gap. ``simulated_time`` starts
    the unit's clock at a chosen moment: for rehearsals only.
    """

    model_config = SettingsConfigDict(
        env_prefix="PADAN_UNIT_", env_nested_delimiter="__", extra="forbid"
    )

    listen: str = "127.0.0.1:7443"
    data_dir: Path
    agreements_dir: Path
    database_url: str = ""
    tls: TlsConfig
    parties: dict[str, list[Pin]]
    limits: Limits = Limits()
    rpc_threads: Annotated[int, Field(ge=4, le=512)] = 32
    run_workers: Annotated[int, Field(ge=0, le=64)] = 1
    match_threads: Annotated[int, Field(ge=1, le=256)] = 1
    run_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    lease_seconds: Annotated[float, Field(gt=0)] = 60.0
    rescan_seconds: Annotated[float, Field(gt=0)] = 60.0
    sweep_seconds: Annotated[float, Field(gt=0)] = 60.0
    request_id_days: Annotated[int, Field(ge=1)] = 30
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
        return self.database_url or f"sqlite:///{self.data_dir / 'unit.sqlite'}"


def load_config(path: Path) -> UnitConfig:
    """Read ``path`` (TOML); environment variables win. Relative paths start at the file's folder.

    Raises pydantic.ValidationError, OSError or tomllib.TOMLDecodeError.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    _anchor_paths(document, path.resolve().parent)

    class FileConfig(UnitConfig):
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

    return FileConfig(**document)


def _anchor_paths(document: dict[str, Any], folder: Path) -> None:
    tls = document.get("tls")
    for table, names in (
        (document, ("data_dir", "agreements_dir")),
        (tls if isinstance(tls, dict) else {}, ("ca", "certificate", "key")),
    ):
        for name in names:
            if isinstance(table.get(name), str):
                table[name] = str(folder / table[name])
