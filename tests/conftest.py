"""Makes the fixtures of ``tests/support`` known to every test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

pytest_plugins = ["server_fixture"]
