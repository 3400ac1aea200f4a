"""What can be wrong with a process's own TLS files, each fault with a sentence that is true of it.

Spec ``proto/spec/50-errors.md``, "Before a call", has them with what to do.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class TlsFault(StrEnum):
    """Why a file of ``[tls]`` is of no use; the names are stable."""

    FILE_MISSING = "FILE_MISSING"
    FILE_UNREADABLE = "FILE_UNREADABLE"
    FILE_NOT_PLAIN = "FILE_NOT_PLAIN"
    FILE_EMPTY = "FILE_EMPTY"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    FILE_NOT_PEM = "FILE_NOT_PEM"
    FILE_BINARY = "FILE_BINARY"
    PEM_CUT_OFF = "PEM_CUT_OFF"
    PEM_DAMAGED = "PEM_DAMAGED"
    PEM_OTHER_KIND = "PEM_OTHER_KIND"
    KEY_WHERE_CERTIFICATE = "KEY_WHERE_CERTIFICATE"
    CERTIFICATE_WHERE_KEY = "CERTIFICATE_WHERE_KEY"
    KEY_ENCRYPTED = "KEY_ENCRYPTED"
    KEYS_SEVERAL = "KEYS_SEVERAL"
    KEY_KIND = "KEY_KIND"
    KEY_MISMATCH = "KEY_MISMATCH"
    CHAIN_ORDER = "CHAIN_ORDER"
    CERTIFICATE_IS_AUTHORITY = "CERTIFICATE_IS_AUTHORITY"
    AUTHORITY_IS_CERTIFICATE = "AUTHORITY_IS_CERTIFICATE"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    CERTIFICATE_NOT_YET = "CERTIFICATE_NOT_YET"
    CERTIFICATE_USAGE = "CERTIFICATE_USAGE"
    AUTHORITY_EXPIRED = "AUTHORITY_EXPIRED"
    AUTHORITY_NOT_YET = "AUTHORITY_NOT_YET"
    FILES_REFUSED = "FILES_REFUSED"


#: The fault's sentence after "Berkas TLS PATH (FIELD)", in Indonesian and English.
_SENTENCES = {
    TlsFault.FILE_MISSING: (
        "tidak ada. Periksa nama dan letaknya pada bagian [tls].",
        "does not exist. Check its name and place in section [tls].",
    ),
    TlsFault.FILE_UNREADABLE: (
        "tidak dapat dibaca ({system}). Beri pengguna proses ini hak bacanya.",
        "cannot be read ({system}). Give the user of this process the right to read it.",
    ),
    TlsFault.FILE_NOT_PLAIN: (
        "bukan berkas biasa (folder, pipa atau perangkat). Isi dengan nama berkas PEM.",
        "is no plain file (a folder, pipe or device). Fill in the name of a PEM file.",
    ),
    TlsFault.FILE_EMPTY: (
        "kosong. Salin ulang berkas itu dari asalnya.",
        "is empty. Copy it again from where it came from.",
    ),
    TlsFault.FILE_TOO_LARGE: (
        "lebih dari {most} bita; itu bukan berkas TLS.",
        "has more than {most} bytes; that is no TLS file.",
    ),
    TlsFault.FILE_NOT_PEM: (
        "bukan PEM: tidak ada baris «-----BEGIN …-----». Periksa apakah berkasnya tertukar.",
        "is not PEM: it has no line «-----BEGIN …-----». Check whether it is another file.",
    ),
    TlsFault.FILE_BINARY: (
        "bukan PEM melainkan biner (DER atau PKCS#12). Ubah dengan openssl x509 -inform DER, "
        "openssl pkey -inform DER, atau openssl pkcs12 -nodes.",
        "is not PEM but binary (DER or PKCS#12). Convert it with openssl x509 -inform DER, "
        "openssl pkey -inform DER, or openssl pkcs12 -nodes.",
    ),
    TlsFault.PEM_CUT_OFF: (
        "terpotong: ada «-----BEGIN …-----» tanpa «-----END …-----»-nya. Salin ulang.",
        "is cut off: a «-----BEGIN …-----» is without its «-----END …-----». Copy it again.",
    ),
    TlsFault.PEM_DAMAGED: (
        "rusak: isi di antara BEGIN dan END bukan {kind}. Salin ulang.",
        "is damaged: what stands between BEGIN and END is no {kind}. Copy it again.",
    ),
    TlsFault.PEM_OTHER_KIND: (
        "berisi «{kind}», padahal di sini diperlukan {wanted}.",
        "holds «{kind}», and here {wanted} is needed.",
    ),
    TlsFault.KEY_WHERE_CERTIFICATE: (
        "berisi kunci privat, padahal di sini diperlukan sertifikat. Periksa apakah "
        "tls.certificate, tls.key dan tls.ca tertukar.",
        "holds a private key, and here a certificate is needed. Check whether tls.certificate, "
        "tls.key and tls.ca are swapped.",
    ),
    TlsFault.CERTIFICATE_WHERE_KEY: (
        "berisi sertifikat, padahal di sini diperlukan kunci privat. Periksa apakah "
        "tls.certificate, tls.key dan tls.ca tertukar.",
        "holds a certificate, and here the private key is needed. Check whether tls.certificate, "
        "tls.key and tls.ca are swapped.",
    ),
    TlsFault.KEY_ENCRYPTED: (
        "terlindung frasa sandi. Simpan tanpa frasa sandi (openssl pkey -in … -out …) pada "
        "berkas yang hanya dapat dibaca pemiliknya.",
        "is protected by a passphrase. Save it without (openssl pkey -in … -out …) in a file that "
        "its owner alone can read.",
    ),
    TlsFault.KEYS_SEVERAL: (
        "berisi {count} kunci privat. Sisakan satu: pasangan sertifikat pada tls.certificate.",
        "holds {count} private keys. Leave one: that of the certificate in tls.certificate.",
    ),
    TlsFault.KEY_KIND: (
        "berisi kunci {kind}, yang tidak dapat dipakai TLS pada gRPC. Minta sertifikat untuk kunci "
        "EC P-256 atau P-384, atau RSA {least} sampai {most} bit.",
        "holds a key of {kind}, which the TLS of gRPC cannot use. Get a certificate for a key of "
        "EC P-256 or P-384, or RSA of {least} to {most} bits.",
    ),
    TlsFault.KEY_MISMATCH: (
        "bukan pasangan sertifikat pada tls.certificate. Pakai kunci yang dibuat bersama "
        "permintaan sertifikat itu.",
        "does not belong to the certificate in tls.certificate. Use the key that was made with "
        "the request for that certificate.",
    ),
    TlsFault.CHAIN_ORDER: (
        "salah urut: sertifikat pasangan tls.key ada di tempat ke-{place} dari {count}. Taruh di "
        "tempat pertama, lalu penerbitnya.",
        "is in the wrong order: the certificate of tls.key is number {place} of {count}. Put it "
        "first, and its issuers after it.",
    ),
    TlsFault.CERTIFICATE_IS_AUTHORITY: (
        "berisi sertifikat CA, bukan sertifikat sendiri; kunci pada tls.key bukan pasangannya. "
        "Periksa apakah tls.certificate dan tls.ca tertukar.",
        "holds a CA's certificate and not one's own; the key in tls.key does not belong to it. "
        "Check whether tls.certificate and tls.ca are swapped.",
    ),
    TlsFault.AUTHORITY_IS_CERTIFICATE: (
        "berisi sertifikat sendiri, yang sama dengan tls.certificate, bukan sertifikat CA. Minta "
        "sertifikat CA kepada penerbitnya.",
        "holds one's own certificate, that of tls.certificate, and not the CA's. Ask whoever "
        "issued it for the CA's certificate.",
    ),
    TlsFault.CERTIFICATE_EXPIRED: (
        "hanya berlaku {begin} sampai {end}, dan jam mesin ini menunjukkan {now}. Minta yang baru, "
        "atau betulkan jamnya.",
        "is valid from {begin} to {end} only, and this machine's clock says {now}. Get a new one, "
        "or set the clock right.",
    ),
    TlsFault.CERTIFICATE_NOT_YET: (
        "hanya berlaku {begin} sampai {end}, dan jam mesin ini baru menunjukkan {now}. Betulkan "
        "jamnya, atau tunggu.",
        "is valid from {begin} to {end} only, and this machine's clock says no more than {now}. "
        "Set the clock right, or wait.",
    ),
    TlsFault.CERTIFICATE_USAGE: (
        "bukan sertifikat untuk {use} (extendedKeyUsage-nya: {named}). Minta yang {wanted}.",
        "is no certificate for a {use} (its extendedKeyUsage: {named}). Get one with {wanted}.",
    ),
    TlsFault.AUTHORITY_EXPIRED: (
        "tidak memuat CA yang masih berlaku: berakhir {end}, dan jam mesin ini menunjukkan {now}. "
        "Minta sertifikat CA yang baru, atau betulkan jamnya.",
        "has no CA that is still valid: it ended {end}, and this machine's clock says {now}. Get "
        "the new certificate of the CA, or set the clock right.",
    ),
    TlsFault.AUTHORITY_NOT_YET: (
        "tidak memuat CA yang sudah berlaku: mulai {begin}, dan jam mesin ini baru menunjukkan "
        "{now}. Betulkan jamnya, atau tunggu.",
        "has no CA that is valid yet: it begins {begin}, and this machine's clock says no more "
        "than {now}. Set the clock right, or wait.",
    ),
    TlsFault.FILES_REFUSED: (
        "ditolak pustaka TLS ({system}). Minta sertifikat dengan kunci EC P-256 dan SHA-256.",
        "is refused by the TLS library ({system}). Get a certificate with a key of EC P-256 and "
        "SHA-256.",
    ),
}


class TlsFileError(ValueError):
    """A file of ``[tls]`` is of no use: ``fault``, ``field``, and a sentence in each language.

    ``facts`` fill the sentence; one that is a pair has an Indonesian and an English form.
    """

    def __init__(
        self, fault: TlsFault, field: str, path: Path, **facts: str | int | tuple[str, str]
    ) -> None:
        self.fault = fault
        self.field = field
        self.indonesian, self.english = (
            f"{opening} {path} ({field}) {sentence.format(**_in_language(facts, i))} [{fault}]"
            for i, (opening, sentence) in enumerate(
                zip(("Berkas TLS", "The TLS file"), _SENTENCES[fault], strict=True)
            )
        )
        super().__init__(f"{self.indonesian} / {self.english}")


def _in_language(
    facts: dict[str, str | int | tuple[str, str]], language: int
) -> dict[str, str | int]:
    return {
        name: fact[language] if isinstance(fact, tuple) else fact for name, fact in facts.items()
    }
