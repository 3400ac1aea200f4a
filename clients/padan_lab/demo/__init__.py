"""The demonstration: one linkage unit and two agencies as separate processes on loopback."""
