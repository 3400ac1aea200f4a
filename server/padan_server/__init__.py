"""The Padan linkage unit and the provider's server of direct mode, over gRPC.

A call's way down: ``services`` (protobuf in and out, nothing else), ``admission`` (may it?), then
``matching``, ``datasets``, ``direct`` or ``releases``, then ``store``, all on ``base``. ``roles``
puts servers together, ``app.py`` starts them. Start at ``roles/unit.py``. No room imports one above
it.

TLS 1.3 is demanded here, because nowhere else is early enough: grpcio has no setting for the
version and reads this variable when it is first imported. For TLS 1.2 and below it leaves one
cipher suite, which needs a pre-shared key that nobody has; TLS 1.3 has suites of its own
(``proto/spec/30-unit-mode.md``, "Transport").
"""

import os

# grpcio's core writes a line of its own for every handshake that fails, which anybody can make.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
# Spec 30, "Transport", step 6.
os.environ["GRPC_SSL_CIPHER_SUITES"] = "ECDHE-PSK-AES128-CBC-SHA"
