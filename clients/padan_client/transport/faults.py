"""Why a server could not be spoken to: each cause, and a sentence that is true of it alone.

Spec ``proto/spec/50-errors.md``, "Before a call", has them with what to do. A cause is established
from what a socket, a TLS handshake or a proxy said, never from gRPC's texts.
"""

from __future__ import annotations

from enum import StrEnum

from padan.v1.reason_texts import ServerKind, worded
from padan_client.base.errors import (
    BadInputError,
    PadanError,
    UnavailableError,
    VerificationError,
)
from padan_client.base.language import t
from padan_client.transport.proxies import Proxy


class ConnectionFault(StrEnum):
    """Why there is no connection; the names are stable."""

    NAME_UNKNOWN = "NAME_UNKNOWN"
    NAME_UNRESOLVED = "NAME_UNRESOLVED"
    CONNECTION_REFUSED = "CONNECTION_REFUSED"
    CONNECTION_SILENT = "CONNECTION_SILENT"
    NETWORK_UNREACHABLE = "NETWORK_UNREACHABLE"
    CONNECTION_FORBIDDEN = "CONNECTION_FORBIDDEN"
    CONNECTION_FAILED = "CONNECTION_FAILED"
    PROXY_INVALID = "PROXY_INVALID"
    PROXY_UNREACHABLE = "PROXY_UNREACHABLE"
    PROXY_REFUSES = "PROXY_REFUSES"
    TLS_SILENT = "TLS_SILENT"
    TLS_BROKEN_OFF = "TLS_BROKEN_OFF"
    SERVER_SILENT = "SERVER_SILENT"
    TLS_VERSION = "TLS_VERSION"
    TLS_FAILED = "TLS_FAILED"
    NOT_TLS = "NOT_TLS"
    NOT_TLS_BUT_HTTP = "NOT_TLS_BUT_HTTP"
    NOT_TLS_BUT_GRPC = "NOT_TLS_BUT_GRPC"
    NOT_GRPC = "NOT_GRPC"
    SERVER_UNTRUSTED = "SERVER_UNTRUSTED"
    SERVER_EXPIRED = "SERVER_EXPIRED"
    SERVER_NOT_YET = "SERVER_NOT_YET"
    SERVER_NAME = "SERVER_NAME"
    SERVER_USAGE = "SERVER_USAGE"
    SERVER_WEAK = "SERVER_WEAK"
    SERVER_CHANGED = "SERVER_CHANGED"
    OWN_CERTIFICATE_REFUSED = "OWN_CERTIFICATE_REFUSED"
    CALL_BROKEN_OFF = "CALL_BROKEN_OFF"


_AGAIN = (
    "Ulangi perintah yang sama untuk melanjutkan.",
    "Repeat the same command to go on.",
)

#: What each cause says in Indonesian and English. ``{address}``: what was called.
_SENTENCES = {
    ConnectionFault.NAME_UNKNOWN: (
        "{Server} tidak terjangkau: nama «{host}» tidak dikenal DNS. Periksa ejaan setelan "
        "{setting}, atau minta pengelola jaringan mendaftarkan nama itu.",
        "{Server} cannot be reached: DNS knows no name «{host}». Check the spelling of the setting "
        "{setting}, or have the network's administrator register the name.",
    ),
    ConnectionFault.NAME_UNRESOLVED: (
        "{Server} tidak terjangkau: DNS tidak menjawab tentang nama «{host}». Periksa jaringan dan "
        "server DNS mesin ini (/etc/resolv.conf).",
        "{Server} cannot be reached: DNS does not answer about the name «{host}». Check the "
        "network and this machine's DNS servers (/etc/resolv.conf).",
    ),
    ConnectionFault.CONNECTION_REFUSED: (
        "{Server} tidak terjangkau: {address} menolak sambungan, jadi tidak ada yang mendengarkan "
        "di porta itu. Periksa setelan {setting} dan apakah {server} berjalan.",
        "{Server} cannot be reached: {address} refuses connections, so nothing listens on that "
        "port. Check the setting {setting}, and whether {server} is running.",
    ),
    ConnectionFault.CONNECTION_SILENT: (
        "{Server} tidak terjangkau: {address} tidak menjawab dalam {seconds} detik. Biasanya "
        "tembok api di antaranya membuang paket, atau alamatnya salah; periksa keduanya "
        "({setting}).",
        "{Server} cannot be reached: {address} does not answer within {seconds} seconds. Mostly a "
        "firewall between drops packets, or the address is wrong; check both ({setting}).",
    ),
    ConnectionFault.NETWORK_UNREACHABLE: (
        "{Server} tidak terjangkau: dari mesin ini tidak ada jalur ke {address}. Periksa "
        "jaringan, VPN dan perutean.",
        "{Server} cannot be reached: this machine has no route to {address}. Check network, VPN "
        "and routing.",
    ),
    ConnectionFault.CONNECTION_FORBIDDEN: (
        "{Server} tidak terjangkau: mesin ini sendiri melarang sambungan ke {address} (tembok api "
        "setempat atau sandbox). Izinkan proses ini.",
        "{Server} cannot be reached: this machine itself forbids connections to {address} (a local "
        "firewall or sandbox). Allow this process.",
    ),
    ConnectionFault.CONNECTION_FAILED: (
        "{Server} tidak terjangkau di {address} ({system}). Periksa alamatnya dan jaringan.",
        "{Server} cannot be reached at {address} ({system}). Check its address and the network.",
    ),
    ConnectionFault.PROXY_INVALID: (
        "Proxy pada {source} tidak dapat dipakai: hanya http://[nama:sandi@]host:port yang "
        'dikenal. Betulkan, kecualikan {host} dengan no_proxy, atau isi proxy = "none" pada '
        "client.toml.",
        "The proxy in {source} cannot be used: only http://[name:password@]host:port is known. "
        'Correct it, except {host} with no_proxy, or set proxy = "none" in client.toml.',
    ),
    ConnectionFault.PROXY_UNREACHABLE: (
        "{Server} tidak terjangkau: proxy pada {source} tidak menjawab ({system}). Periksa alamat "
        "proxynya.",
        "{Server} cannot be reached: the proxy in {source} does not answer ({system}). Check the "
        "proxy's address.",
    ),
    ConnectionFault.PROXY_REFUSES: (
        "{Server} tidak terjangkau: proxy pada {source} menolak meneruskan ke {address} (HTTP "
        "{status}). Minta pengelolanya mengizinkan CONNECT ke sana{login}.",
        "{Server} cannot be reached: the proxy in {source} refuses to go on to {address} (HTTP "
        "{status}). Have its administrator allow CONNECT to it{login}.",
    ),
    ConnectionFault.TLS_SILENT: (
        "{address} menerima sambungan, tetapi tidak menyelesaikan jabat tangan TLS dalam {seconds} "
        "detik. Periksa apakah di porta itu memang {server}, dan tidak ada yang menahan di "
        "antaranya.",
        "{address} takes the connection and does not finish the TLS handshake within {seconds} "
        "seconds. Check that {server} is what listens there, and that nothing holds it up between.",
    ),
    ConnectionFault.TLS_BROKEN_OFF: (
        "{address} memutus sambungan sebelum jabat tangan TLS selesai. Periksa apakah {server} "
        "berjalan di balik alamat itu (penyeimbang beban, tembok api).",
        "{address} closes the connection before the TLS handshake is over. Check whether {server} "
        "runs behind that address (load balancer, firewall).",
    ),
    ConnectionFault.SERVER_SILENT: (
        "{address} menyelesaikan jabat tangan TLS, tetapi dalam {seconds} detik tidak mulai "
        "berbicara HTTP/2. Mungkin {server} macet; periksa di sana, dan apa yang ada di antaranya.",
        "{address} finishes the TLS handshake and does not begin to speak HTTP/2 within {seconds} "
        "seconds. {Server} may be stuck; look there, and at what is between.",
    ),
    ConnectionFault.TLS_VERSION: (
        "{address} tidak mau memakai TLS 1.3, satu-satunya yang dipakai Padan. Periksa apakah itu "
        "memang {server}; jangan taruh proxy yang membuka TLS di depannya.",
        "{address} does not speak TLS 1.3, the only version that Padan uses. Check that it is "
        "{server}; put no proxy that ends TLS in front of it.",
    ),
    ConnectionFault.TLS_FAILED: (
        "Jabat tangan TLS dengan {address} gagal ({system}). Periksa apakah itu memang {server}.",
        "The TLS handshake with {address} fails ({system}). Check that it is {server}.",
    ),
    ConnectionFault.NOT_TLS: (
        "Yang menjawab di {address} bukan server TLS. Periksa porta pada setelan {setting}.",
        "What answers at {address} is no TLS server. Check the port in the setting {setting}.",
    ),
    ConnectionFault.NOT_TLS_BUT_HTTP: (
        "Yang menjawab di {address} server HTTP tanpa TLS, bukan {server}. Periksa porta pada "
        "setelan {setting}.",
        "What answers at {address} is an HTTP server without TLS, and not {server}. Check the port "
        "in the setting {setting}.",
    ),
    ConnectionFault.NOT_TLS_BUT_GRPC: (
        "Yang menjawab di {address} berbicara gRPC tanpa TLS, jadi bukan {server}, atau ada yang "
        "membuka TLS di depannya. Tidak ada yang dikirim ke sana.",
        "What answers at {address} speaks gRPC without TLS, so it is not {server}, or something "
        "ends TLS in front of it. Nothing was sent there.",
    ),
    ConnectionFault.NOT_GRPC: (
        "Yang menjawab di {address} server TLS yang tidak mengenal HTTP/2, jadi bukan {server}, "
        "atau ada yang membuka TLS di depannya. Periksa porta pada setelan {setting}.",
        "What answers at {address} is a TLS server without HTTP/2, so it is not {server}, or "
        "something ends TLS in front of it. Check the port in the setting {setting}.",
    ),
    ConnectionFault.SERVER_UNTRUSTED: (
        "Sertifikat {server} tidak diterbitkan oleh CA pada setelan tls.ca. Jangan lanjutkan; "
        "minta sertifikat CA yang menerbitkannya kepada {operator}, dan periksa alamatnya.",
        "The certificate of {server} was not issued by the CA in tls.ca. Do not go on; ask "
        "{operator} for the certificate of the CA that issued it, and check the address.",
    ),
    ConnectionFault.SERVER_EXPIRED: (
        "Sertifikat {server} atau penerbitnya sudah kedaluwarsa (yang ditunjukkannya berlaku "
        "{begin} sampai {end}, jam mesin ini {now}). Beri tahu {operator}, atau betulkan jam "
        "mesin ini.",
        "The certificate of {server} or of its issuer has expired (the one it shows is valid "
        "from {begin} to {end}, this machine's clock says {now}). Tell {operator}, or set this "
        "machine's clock right.",
    ),
    ConnectionFault.SERVER_NOT_YET: (
        "Sertifikat {server} atau penerbitnya belum berlaku (yang ditunjukkannya berlaku {begin} "
        "sampai {end}, jam mesin ini {now}). Betulkan jam mesin ini, atau beri tahu {operator}.",
        "The certificate of {server} or of its issuer is not valid yet (the one it shows is "
        "valid from {begin} to {end}, this machine's clock says {now}). Set this machine's clock "
        "right, or tell {operator}.",
    ),
    ConnectionFault.SERVER_NAME: (
        "Nama pada sertifikat {server} ({names}) lain dari «{name}» yang dihubungi. Periksa "
        "setelan {setting} dan {name_setting}.",
        "The name in the certificate of {server} ({names}) differs from «{name}», which was "
        "called. Check the settings {setting} and {name_setting}.",
    ),
    ConnectionFault.SERVER_USAGE: (
        "Sertifikat yang ditunjukkan {server} bukan untuk server (extendedKeyUsage tanpa "
        "serverAuth). Beri tahu {operator}.",
        "The certificate that {server} shows is not for a server (extendedKeyUsage without "
        "serverAuth). Tell {operator}.",
    ),
    ConnectionFault.SERVER_WEAK: (
        "Sertifikat {server} atau penerbitnya terlalu lemah (kunci pendek atau SHA-1). Beri tahu "
        "{operator}.",
        "The certificate of {server} or of its issuer is too weak (a short key or SHA-1). Tell "
        "{operator}.",
    ),
    ConnectionFault.SERVER_CHANGED: (
        "Yang menjawab menunjukkan sertifikat lain daripada sertifikat {server} yang baru "
        "diperiksa; tidak ada yang dikirim ke sana. Bila terulang, ada yang menyela sambungan.",
        "What answered showed another certificate than the one of {server} that was just "
        "checked; nothing was sent there. If it recurs, somebody is in the connection.",
    ),
    ConnectionFault.OWN_CERTIFICATE_REFUSED: (
        "{Server} memutus sambungan begitu melihat sertifikat instansi ini (tls.certificate), jadi "
        "CA yang menerbitkannya tidak dipercaya di sana{issuer}, masa berlakunya tidak diterima, "
        "atau {server} sedang berhenti. Minta {operator} memeriksa CA-nya.",
        "{Server} closed the connection as soon as it saw this agency's certificate "
        "(tls.certificate): the CA that issued it is not trusted there{issuer}, its term is not "
        "accepted, or {server} is stopping. Ask {operator} to check its CA.",
    ),
    ConnectionFault.CALL_BROKEN_OFF: (
        "Sambungan ke {server} terputus di tengah panggilan; {server} sendiri terjangkau.",
        "The connection to {server} broke off in a call; {server} itself can be reached.",
    ),
}

#: Faults that are no lack of a connection: what they are instead, which decides the exit code.
_KINDS: dict[ConnectionFault, type[PadanError]] = {
    ConnectionFault.PROXY_INVALID: BadInputError,
    **dict.fromkeys(
        (
            ConnectionFault.SERVER_UNTRUSTED,
            ConnectionFault.SERVER_EXPIRED,
            ConnectionFault.SERVER_NOT_YET,
            ConnectionFault.SERVER_NAME,
            ConnectionFault.SERVER_USAGE,
            ConnectionFault.SERVER_WEAK,
        ),
        VerificationError,
    ),
}

#: Faults of which nothing is known but that time passed.
_SILENT = frozenset(
    {
        ConnectionFault.CONNECTION_SILENT,
        ConnectionFault.TLS_SILENT,
        ConnectionFault.SERVER_SILENT,
    }
)

#: The settings of the address of each kind of server, and of the name in its certificate.
_SETTINGS = {
    ServerKind.UNIT: ("unit", "tls.server_name"),
    ServerKind.PROVIDER: ("provider", "tls.provider_server_name"),
}


def fault_error(
    fault: ConnectionFault,
    server: ServerKind,
    address: str,
    proxy: Proxy | None = None,
    waited: float = 0.0,
    **facts: str,
) -> PadanError:
    """The error of a fault at ``address`` of ``server``, reached through ``proxy`` if any.

    ``waited``: the seconds that it had, which count where it is a silence.
    One that may pass is an UnavailableError; ``reason`` is the fault's name.
    """
    kind = _KINDS.get(fault, UnavailableError)
    setting, name_setting = _SETTINGS[server]
    known = {"address": address, "setting": setting, "name_setting": name_setting, **facts}
    if proxy is not None:
        known["source"] = proxy.source
    parts = [t(*worded(_SENTENCES[fault], server, known))]
    if proxy is not None and fault is not ConnectionFault.PROXY_INVALID:
        parts.append(way_without(proxy))
    if kind is not UnavailableError:
        return kind(f"{' '.join(parts)} [{fault}]", fault)
    silent = waited if fault in _SILENT else 0.0
    return UnavailableError(f"{' '.join([*parts, t(*_AGAIN)])} [{fault}]", fault, silent)


def way_without(proxy: Proxy) -> str:
    """That there is a proxy between, and how to go without it."""
    return t(
        f"Sambungan melewati proxy pada {proxy.source}; untuk langsung, tambahkan alamat itu ke "
        'no_proxy, atau isi proxy = "none" pada client.toml.',
        f"The connection goes through the proxy in {proxy.source}; to go without it, add the "
        'address to no_proxy, or set proxy = "none" in client.toml.',
    )
