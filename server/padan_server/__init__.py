"""The Padan linkage unit as a gRPC server.

TLS 1.3 is demanded here, because nowhere else is early enough: grpcio has no setting for the
version and reads this variable when it is first imported. For TLS 1.2 and below it leaves one
cipher suite, which needs a pre-shared key that nobody has; TLS 1.3 has suites of its own
(``proto/spec/30-unit-mode.md``, "Transport").
"""

import os

os.environ["GRPC_SSL_CIPHER_SUITES"] = "ECDHE-PSK-AES128-CBC-SHA"
