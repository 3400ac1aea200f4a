"""One place that turns a gRPC error into a :class:`PadanError` with words for the user.

The server's free text is never shown: only the reason, looked up here, and a few metadata values
of a known form (spec ``proto/spec/50-errors.md``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.effects import DeadlineError
from padan_client.base.errors import (
    PadanError,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from padan_client.base.language import t
from padan_client.base.reasons import about, explain, refusal

_DETAILS_KEY = "grpc-status-details-bin"
#: The server serves nobody just now: the same call may succeed in a moment.
_PASSING = frozenset({Reason.SHUTTING_DOWN, Reason.STORE_BUSY})
_SAFE_VALUE = re.compile(r"[\w .,:()/+\-]{1,80}")


def from_rpc_error(error: grpc.RpcError, server: ServerKind = ServerKind.UNIT) -> PadanError:
    """The client's error for a failed call to ``server``, sync or asyncio."""
    reason, metadata = error_info(tuple(error.trailing_metadata() or ()))
    if not reason:
        return _from_code(error.code(), str(error.details() or ""), server)
    if reason in _PASSING:
        return UnavailableError(explain(reason, metadata, server))
    return refusal(reason, metadata, server)


def error_info(trailing: Iterable[Any]) -> tuple[str, dict[str, str]]:
    """Reason and clean metadata of the padan ErrorInfo, ``("", {})`` where there is none."""
    for key, value in trailing:
        if key != _DETAILS_KEY or not isinstance(value, bytes):
            continue
        try:
            status = status_pb2.Status.FromString(value)
        except DecodeError:
            continue
        for detail in status.details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info) and info.domain == "padan":
                return _clean_reason(info.reason), _clean(info.metadata)
    return "", {}


def _clean_reason(reason: str) -> str:
    return reason if re.fullmatch(r"[A-Z_]{1,60}", reason) else "UNKNOWN"


def _clean(metadata: Mapping[str, str]) -> dict[str, str]:
    """Drop what does not look like an identifier, article or number: it is a stranger's text."""
    return {
        key: value
        for key, value in metadata.items()
        if re.fullmatch(r"[a-z_]{1,40}", key) and _SAFE_VALUE.fullmatch(value)
    }


def _from_code(code: grpc.StatusCode, details: str, server: ServerKind) -> PadanError:
    """Errors that gRPC itself makes: no connection, no certificate, too late, too large."""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineError(
            about(
                server,
                "{Server} tidak menjawab dalam batas waktu. Tidak ada yang sudah diterimanya "
                "hilang; ulangi perintah yang sama untuk melanjutkan.",
                "{Server} did not answer in time. Nothing it acknowledged is lost; repeat the same "
                "command to go on.",
            )
        )
    if code is grpc.StatusCode.UNAVAILABLE:
        return _handshake_trouble(details, server) or unreachable(server)
    if code in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED}:
        return UnavailableError(
            t(
                f"Panggilan terputus ({code.name}). Ulangi perintah yang sama untuk melanjutkan.",
                f"The call broke off ({code.name}). Repeat the same command to go on.",
            )
        )
    return RefusedError(
        about(
            server,
            f"{{Server}} menolak tanpa alasan Padan ({code.name}). Periksa bahwa alamat itu benar "
            "alamat {server}.",
            f"{{Server}} refused without a Padan reason ({code.name}). Check that the address is "
            "that of {server}.",
        ),
        code.name,
    )


#: The settings of the address of each kind of server, and of the name in its certificate.
_SETTINGS = {
    ServerKind.UNIT: ("unit", "tls.server_name"),
    ServerKind.PROVIDER: ("provider", "tls.provider_server_name"),
}


def shows_another(error: grpc.RpcError) -> bool:
    """Whether gRPC refused a certificate other than the one that the server was known by."""
    text = str(error.details() or "").lower()
    failed = "handshake failed" in text or "hostname" in text
    return error.code() is grpc.StatusCode.UNAVAILABLE and failed and "_alert_" not in text


def another_shown(server: ServerKind) -> UnavailableError:
    """Whoever answered at the latest connection is not who was known; to be looked at again."""
    return UnavailableError(
        about(
            server,
            "Yang menjawab menunjukkan sertifikat lain daripada sertifikat {server} yang baru "
            "diperiksa; tidak ada yang dikirim ke sana. Ulangi perintah yang sama; bila terulang, "
            "ada yang menyela sambungan.",
            "What answered showed another certificate than the one of {server} that was just "
            "checked; nothing was sent there. Repeat the same command; if it recurs, somebody is "
            "in the connection.",
        )
    )


def unreachable(server: ServerKind, proxy: str = "") -> UnavailableError:
    """Nobody answers; ``proxy`` is the variable that names the proxy asked, if one was."""
    through = t(
        f" Sambungan melewati proxy pada variabel {proxy}; untuk melewatinya langsung, tambahkan "
        "alamat itu ke no_proxy.",
        f" The connection goes through the proxy in the variable {proxy}; to go without it, add "
        "the address to no_proxy.",
    )
    return UnavailableError(
        about(
            server,
            "{Server} tidak terjangkau. Periksa alamatnya dan jaringan, lalu ulangi perintah "
            "yang sama untuk melanjutkan.",
            "{Server} cannot be reached. Check its address and the network, then repeat the "
            "same command to go on.",
        )
        + (through if proxy else "")
    )


def wrong_name(server: ServerKind) -> VerificationError:
    """The certificate is for another name than the address."""
    address, name = _SETTINGS[server]
    return VerificationError(
        about(
            server,
            "Nama pada sertifikat {server} lain dari alamat yang dihubungi. Periksa setelan "
            f"{address} dan {name}.",
            "The name in the certificate of {server} differs from the address called. Check "
            f"the settings {address} and {name}.",
        )
    )


def untrusted(server: ServerKind) -> VerificationError:
    """The certificate is of another authority, out of date, or not for a server."""
    return VerificationError(
        about(
            server,
            "Sertifikat {server} tidak diterbitkan oleh CA pada setelan tls.ca, sudah "
            "kedaluwarsa, atau bukan sertifikat server. Jangan lanjutkan; periksa CA dan "
            "alamatnya.",
            "The certificate of {server} was not issued by the CA in tls.ca, has expired, or "
            "is not for a server. Do not go on; check CA and address.",
        )
    )


def not_taken(server: ServerKind) -> RefusedError:
    """The server broke off the handshake: it does not take our certificate."""
    return RefusedError(
        about(
            server,
            "Jabat tangan TLS gagal: {server} tidak menerima sertifikat instansi ini. Periksa "
            "tls.certificate, tls.key dan masa berlakunya.",
            "The TLS handshake failed: {server} does not accept this agency's certificate. "
            "Check tls.certificate, tls.key and their validity.",
        ),
        "TLS_HANDSHAKE",
    )


def _handshake_trouble(details: str, server: ServerKind) -> PadanError | None:
    """A TLS handshake that failed says so only in gRPC's own text."""
    text = details.lower()
    if "_alert_" in text:
        return not_taken(server)
    if "handshake failed" in text:
        return another_shown(server)
    if "socket closed" in text:
        return UnavailableError(
            about(
                server,
                "{Server} memutus sambungan sebelum menjawab. Bila terulang, sertifikat instansi "
                "ini tidak diterima di sana (CA lain?): periksa tls.certificate.",
                "{Server} closed the connection before it answered. If that repeats, it does not "
                "accept this agency's certificate (another CA?): check tls.certificate.",
            )
        )
    return None
