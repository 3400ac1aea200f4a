"""How long a test waits before it takes something for stuck."""

#: Seconds. Never a demand for speed: a machine that is busy with other work takes its time.
PATIENCE = 240
