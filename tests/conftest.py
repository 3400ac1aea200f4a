"""Makes the fixtures of ``tests/support`` known to every test."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

# Workers of a parallel run find a width of 80 in their environment, and rich would keep to it.
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)

pytest_plugins = ["server_fixture", "provider_fixture", "client_fixture", "direct_fixture"]
