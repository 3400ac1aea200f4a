"""What the benches time, and on what: workloads, servers under load, rates."""
