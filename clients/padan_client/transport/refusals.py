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

from padan_client.base.effects import DeadlineError, Peer
from padan_client.base.errors import (
    MismatchError,
    PadanError,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from padan_client.base.language import t
from padan_client.base.reasons import explain

_DETAILS_KEY = "grpc-status-details-bin"
_SAFE_VALUE = re.compile(r"[\w .,:()/+\-]{1,80}")
_MISMATCHES = frozenset(
    {"SCHEMA_MISMATCH", "NORMALISER_MISMATCH", "KEY_CHECK_MISMATCH", "EPOCH_MISMATCH"}
)
_TRANSIENT_REASONS = frozenset({"SHUTTING_DOWN"})


def from_rpc_error(error: grpc.RpcError, peer: Peer = Peer.UNIT) -> PadanError:
    """The client's error for a failed call to ``peer``, sync or asyncio."""
    failure = _failure(error)
    if peer is Peer.PROVIDER:
        failure.args = (_of_provider(str(failure)),)
    return failure


def _of_provider(text: str) -> str:
    """The same sentence about the provider's server; both refuse for the same reasons."""
    for unit, provider in _NAMES:
        text = text.replace(unit, provider)
    return text


#: How the texts call the unit, longer forms first, and the provider's server instead.
_NAMES = (
    ("Unit pemadanan", "Server penyedia"),
    ("unit pemadanan", "server penyedia"),
    ("operator unit", "operator server penyedia"),
    ("alamat unit", "alamat penyedia"),
    ("setelan unit", "setelan provider"),
    ("mode unit", "mode langsung"),
    ("Unit ", "Server penyedia "),
    ("linkage unit", "provider's server"),
    ("setting unit", "setting provider"),
    ("settings unit", "settings provider"),
    ("unit mode", "direct mode"),
    ("the unit", "the provider"),
    ("The unit", "The provider"),
    ("tls.server_name", "tls.provider_server_name"),
)


def _failure(error: grpc.RpcError) -> PadanError:
    code: grpc.StatusCode = error.code()
    reason, metadata = error_info(tuple(error.trailing_metadata() or ()))
    if reason in _TRANSIENT_REASONS:
        return UnavailableError(explain(reason, metadata))
    if reason in _MISMATCHES:
        return MismatchError(explain(reason, metadata), reason, metadata)
    if reason:
        return RefusedError(explain(reason, metadata), reason, metadata)
    return _from_code(code, str(error.details() or ""))


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


def _from_code(code: grpc.StatusCode, details: str) -> PadanError:
    """Errors that gRPC itself makes: no connection, no certificate, too late, too large."""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineError(
            t(
                "Unit pemadanan tidak menjawab dalam batas waktu. Tidak ada yang sudah diterima "
                "unit hilang; ulangi perintah yang sama untuk melanjutkan.",
                "The linkage unit did not answer in time. Nothing it acknowledged is lost; repeat "
                "the same command to go on.",
            )
        )
    if code is grpc.StatusCode.UNAVAILABLE:
        return _certificate_trouble(details) or UnavailableError(
            t(
                "Unit pemadanan tidak terjangkau. Periksa alamat unit dan jaringan, lalu ulangi "
                "perintah yang sama untuk melanjutkan.",
                "The linkage unit cannot be reached. Check its address and the network, then "
                "repeat the same command to go on.",
            )
        )
    if code in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED}:
        return UnavailableError(
            t(
                f"Panggilan terputus ({code.name}). Ulangi perintah yang sama untuk melanjutkan.",
                f"The call broke off ({code.name}). Repeat the same command to go on.",
            )
        )
    return RefusedError(
        t(
            f"Unit pemadanan menolak tanpa alasan Padan ({code.name}). Periksa bahwa alamat itu "
            "benar alamat unit pemadanan.",
            f"The linkage unit refused without a Padan reason ({code.name}). Check that the "
            "address is that of a linkage unit.",
        ),
        code.name,
    )


def _certificate_trouble(details: str) -> PadanError | None:
    """A TLS handshake that failed says so only in gRPC's own text; both directions are told."""
    text = details.lower()
    if "hostname" in text:
        return VerificationError(
            t(
                "Nama pada sertifikat unit pemadanan lain dari alamat yang dihubungi. Periksa "
                "setelan unit dan tls.server_name.",
                "The name in the linkage unit's certificate differs from the address called. "
                "Check the settings unit and tls.server_name.",
            )
        )
    if "_alert_" in text:
        return RefusedError(
            t(
                "Jabat tangan TLS gagal: unit pemadanan tidak menerima sertifikat instansi ini. "
                "Periksa tls.certificate, tls.key dan masa berlakunya.",
                "The TLS handshake failed: the linkage unit does not accept this agency's "
                "certificate. Check tls.certificate, tls.key and their validity.",
            ),
            "TLS_HANDSHAKE",
        )
    if "handshake failed" in text:
        return VerificationError(
            t(
                "Sertifikat unit pemadanan tidak diterbitkan oleh CA pada setelan tls.ca, sudah "
                "kedaluwarsa, atau alamat itu bukan unit pemadanan. Jangan lanjutkan; periksa CA "
                "dan alamatnya.",
                "The linkage unit's certificate was not issued by the CA in tls.ca, has expired, "
                "or the address is not a linkage unit's. Do not go on; check CA and address.",
            )
        )
    if "socket closed" in text:
        return UnavailableError(
            t(
                "Unit pemadanan memutus sambungan sebelum menjawab. Bila terulang, unit itu tidak "
                "menerima sertifikat instansi ini (CA lain?): periksa tls.certificate.",
                "The linkage unit closed the connection before it answered. If that repeats, it "
                "does not accept this agency's certificate (another CA?): check tls.certificate.",
            )
        )
    return None
