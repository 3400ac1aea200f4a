"""``padan-server unit`` with the see-through engine instead of the real one."""

import sys
from pathlib import Path

from engines import FakeEngine

from padan_server.app import read_settings, run_unit

run_unit(read_settings(Path(sys.argv[-1])), FakeEngine())
