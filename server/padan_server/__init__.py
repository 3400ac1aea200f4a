"""The Padan linkage unit as a gRPC server."""
