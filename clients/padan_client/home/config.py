"""Settings of an agency's client: ``<home>/client.toml``, then PADAN_CLIENT_* variables."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from padan_client.base.effects import Patience
from padan_client.base.errors import BadInputError
from padan_client.base.files import write_private
from padan_client.base.language import system_reason, t
from padan_client.base.ownership import require_unaltered
from padan_linkage.agreement import TomlTextError, read_bounded, read_toml

FILE = "client.toml"

_TEMPLATE = """\
# Setelan klien Padan. / Settings of the Padan client.
# Setiap nilai dapat diganti variabel lingkungan, misalnya PADAN_CLIENT_UNIT atau
# PADAN_CLIENT_TLS__CA. / Environment variables override every value.

# Kode pihak seperti pada perjanjian. / Party id as the agreements have it.
party = "{party}"

# Bahasa pesan dan bantuan: id atau en. / Language of messages and help: id or en.
# language = "id"

# Alamat unit pemadanan. / Address of the linkage unit.
unit = "localhost:7443"

# Alamat penyedia untuk mode langsung (peminta). / The provider's address, for direct mode.
# provider = "localhost:7443"

# Mode langsung, pada penyedia: ke mana tabel diterbitkan dan di mana benih kuncinya, keduanya
# dibaca padan-server provider. / Direct mode at the provider: where tables are published and where
# their key seeds lie; padan-server provider reads both.
# tables_dir = "direct/published"
# seeds_dir = "direct/seeds"

# Proxy HTTP ke server: "environment" (variabel grpc_proxy, https_proxy, http_proxy, no_proxy),
# "none", atau alamat http://host:port. Mesin ini sendiri selalu langsung. / The HTTP proxy to the
# servers: "environment" (those variables), "none", or an address. This machine: always directly.
# proxy = "environment"

# Folder perjanjian bertanda tangan, relatif terhadap berkas ini.
# Folder of signed agreements, relative to this file.
agreements = "agreements"

[tls]
# Berkas PEM, relatif terhadap berkas ini. / PEM files, relative to this file.
ca = "tls/ca.pem"
certificate = "tls/client.pem"
key = "tls/client.key"
# Bila nama pada sertifikat unit lain dari alamatnya.
# Where the name in the unit's certificate is not its address.
# server_name = "unit.example.go.id"
# provider_server_name = "padan.example.go.id"
# Kunci server disebut perjanjian bertanda tangan. Hanya untuk uji coba tanpa itu: SHA-256 (heksa)
# dari SubjectPublicKeyInfo sertifikatnya. / The signed agreement names the servers' keys. For
# trials without: SHA-256, hex, of the SubjectPublicKeyInfo of their certificates.
# unit_pins = []
# provider_pins = []

[timeouts]
# Detik. / Seconds.
call = 30
stream = 300
run = 21600
"""


def _port_exists(address: str) -> str:
    if not 0 < int(address.rpartition(":")[2]) < 1 << 16:
        raise ValueError("no such port")
    return address


#: A host name, an IPv4 address or a bracketed IPv6 one, and a port: what TLS checks too.
_Address = Annotated[
    str,
    Field(pattern=r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$"),
    AfterValidator(_port_exists),
]
_ADDRESSES = frozenset({"unit", "provider"})
_Pin = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ProxyChoice(StrEnum):
    """What ``proxy`` may be beside the address of one."""

    ENVIRONMENT = "environment"
    NONE = "none"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tls(_Part):
    """PEM files of mutual TLS; relative paths count from the home folder.

    The pins hold where the agreement names none (spec 30, "Who the unit is").
    """

    ca: Path = Path("tls/ca.pem")
    certificate: Path = Path("tls/client.pem")
    key: Path = Path("tls/client.key")
    server_name: str | None = None
    provider_server_name: str | None = None
    unit_pins: tuple[_Pin, ...] = ()
    provider_pins: tuple[_Pin, ...] = ()


class Timeouts(_Part):
    """Seconds: of a single call, of one stream before it is taken up again, of a whole run."""

    call: Annotated[float, Field(gt=0, le=600)] = 30.0
    stream: Annotated[float, Field(gt=0, le=3600)] = 300.0
    run: Annotated[float, Field(gt=0)] = 21600.0

    def patience(self, jitter: Callable[[], float]) -> Patience:
        """How long a server is waited for that is busy, silent or away."""
        silent = max(Patience.silent_seconds, self.call)
        return Patience(jitter, busy_seconds=self.stream, silent_seconds=silent)


class ClientConfig(BaseSettings):
    """One agency's settings."""

    model_config = SettingsConfigDict(
        env_prefix="PADAN_CLIENT_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    party: str
    language: Literal["id", "en"] = "id"
    unit: _Address = "localhost:7443"
    provider: _Address | None = None
    proxy: Annotated[str, Field(pattern=r"^(environment|none|http://.+)$")] = (
        ProxyChoice.ENVIRONMENT.value
    )
    tables_dir: Path = Path("direct/published")
    seeds_dir: Path = Path("direct/seeds")
    agreements: Path = Path("agreements")
    tls: Tls = Tls()
    timeouts: Timeouts = Timeouts()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings fixes the signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file (the file comes in as init arguments)."""
        assert isinstance(init_settings, InitSettingsSource)
        return env_settings, init_settings


def load_config(home: Path) -> ClientConfig:
    """Settings of ``home``. Raises BadInputError that names the setting, never its value."""
    path = home / FILE
    values: dict[str, Any] = {}
    try:
        if held := path.exists():
            values = read_toml(read_bounded(path).removeprefix(codecs.BOM_UTF8))
        config = ClientConfig(**values)
    except OSError as error:
        raise BadInputError(
            t(
                f"{path} tidak dapat dibaca ({system_reason(error)}).",
                f"Cannot read {path} ({system_reason(error)}).",
            )
        ) from None
    except TomlTextError as error:
        raise BadInputError(
            t(f"{path}, {error.where}: {error.indonesian}", f"{path}, {error.where}: {error}")
        ) from None
    except ValidationError as error:
        wrong = [".".join(map(str, e["loc"])) for e in error.errors(include_input=False)]
        names = ", ".join(wrong)
        raise BadInputError(
            t(
                f"Setelan pada {path} kurang atau salah: {names}.",
                f"Settings in {path} are missing or wrong: {names}.",
            )
            + "".join(_advice(name) for name in wrong)
        ) from None
    if held:
        require_unaltered(path)
    return config


def _advice(name: str) -> str:
    """How a setting is written that is often written otherwise."""
    if name in _ADDRESSES:
        return t(
            f" {name}: tulis host:port, misalnya unit.example.go.id:7443, tanpa https:// dan "
            "tanpa garis miring; IPv6 dalam kurung siku, [2001:db8::1]:7443.",
            f" {name}: write host:port, such as unit.example.go.id:7443, without https:// or a "
            "slash; IPv6 in brackets, [2001:db8::1]:7443.",
        )
    if name == "proxy":
        return t(
            ' proxy: tulis "environment", "none" atau http://[nama:sandi@]host:port.',
            ' proxy: write "environment", "none" or http://[name:password@]host:port.',
        )
    return ""


def write_template(home: Path, party: str) -> bool:
    """Write a commented ``client.toml`` if there is none. Returns whether it was written."""
    path = home / FILE
    if path.exists():
        return False
    write_private(path, _TEMPLATE.format(party=party).encode())
    return True
