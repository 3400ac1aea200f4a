"""The gRPC services: protobuf in, protobuf out; what happens is the domain's."""
