"""The other products that benchmarks run beside Padan, each behind the same small face."""
