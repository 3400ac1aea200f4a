"""The agency's own TLS files, examined before anybody is called: gRPC would only hang up."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.ownership import require_private
from padan_client.home.config import Tls
from padan_linkage.crypto.tls_faults import TlsFault, TlsFileError
from padan_linkage.crypto.tls_files import OwnTls, TlsUse, read_tls


@dataclass(frozen=True, repr=False)
class TlsFiles:
    """What the files of ``[tls]`` hold, and where the certificate lies."""

    own: OwnTls
    path: Path

    @classmethod
    def read(cls, tls: Tls, home: Path) -> Self:
        """The files of the settings. Raises BadInputError that names the file and its fault."""
        key, certificate = home / tls.key, home / tls.certificate
        now, private = datetime.now(UTC), partial(require_private, linked=True)
        try:
            own = read_tls(
                home / tls.ca, certificate, key, TlsUse.CLIENT, now, keep_private=private
            )
        except TlsFileError as error:
            raise _bad_input(error) from None
        return cls(own, certificate)

    def show_on(self, context: ssl.SSLContext) -> None:
        """Let a context show certificate and key.

        OpenSSL reads them by name alone, and the file may have a form that it does not read: they
        lie in memory.
        """
        descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
        with os.fdopen(descriptor, "wb") as f:
            f.write(self.own.chain + self.own.key)
            f.flush()
            try:
                context.load_cert_chain(f"/proc/self/fd/{descriptor}")
            except ssl.SSLError as error:
                reason = str(error.reason or "TLS")
                refused = TlsFault.FILES_REFUSED
                raise _bad_input(
                    TlsFileError(refused, "tls.certificate", self.path, system=reason)
                ) from None


def _bad_input(error: TlsFileError) -> BadInputError:
    return BadInputError(t(error.indonesian, error.english), error.fault)
