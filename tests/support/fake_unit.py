"""``padan-server`` with the see-through engine instead of the real one."""

import padan_server.app
from engines import FakeEngine

padan_server.app.LinkageEngine = FakeEngine
padan_server.app.main()
