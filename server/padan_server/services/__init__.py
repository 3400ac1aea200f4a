"""The gRPC services: protobuf in, protobuf out; what happens is the domain's.

Start at :mod:`.guard`, through which every call comes; :mod:`.pages` is how every list goes on.
:mod:`.convert` turns messages into the domain's types and back (:mod:`.direct` and
:mod:`.releases` their own few). May import ``matching``, ``datasets``, ``direct``, ``releases``,
``admission``, ``store`` (for its errors) and ``base``.
"""
