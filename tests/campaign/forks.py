"""As a script: the parent of forked servers and of forked officers, who do one errand each."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from zygote import become_server, fork_for, import_servers

#: Exit code of an errand of which the command has told that it was not done.
UNDONE = 40


def become(job: dict) -> int:
    """Be what the job says."""
    return do_errand(job) if job["role"] == "client" else become_server(job)


def do_errand(job: dict) -> int:
    """Do one errand; its outcome becomes a file, at once."""
    from errands import JOURNEY, LeftUndoneError
    from scene import Scene

    scene = Scene.there(Path(job["config"]))
    errand = next(e for e in JOURNEY if e.name == job["environment"]["ERRAND"])
    try:
        outcome = errand.do(scene, {})
    except LeftUndoneError as left:
        sys.stderr.write(f"{left}\n")
        return UNDONE + left.code
    draft = scene.folder / "outcome.tmp"
    draft.write_text(json.dumps(outcome))
    os.replace(draft, scene.folder / "outcome.json")  # noqa: PTH105
    return 0


def warm_up() -> None:
    """Load what an officer's command compiles or imports late, once for all children. No gRPC."""
    import tempfile

    import errands  # noqa: F401 - imported for the children
    from agency import make_session
    from scene import FLOW, Scene

    import padan_client.cli.commands.publish
    import padan_client.protocol.rotating
    import padan_client.provider
    import padan_client.releases  # noqa: F401
    from padan_client.records import read_table
    from padan_client.records.lists import prepare_list
    from padan_linkage.crypto.randomness import Drbg
    from padan_linkage.encoding import PassEncoder

    with tempfile.TemporaryDirectory() as folder:
        scene = Scene.found(Path(folder) / "warm")
        table = read_table(scene.inputs / "list.csv")
    session = make_session(scene.house.signed, FLOW, provider=False)
    listed = prepare_list(session.schema, table, columns=None, id_column=None)
    for number, p in enumerate(session.schema.passes):
        encoder = PassEncoder(session.schema, p, session.key, threads=1)
        encoder.arrange(listed.records, people=len(listed), drbg=Drbg(bytes([number]) * 32))


if __name__ == "__main__":
    import_servers()
    warm_up()
    fork_for(become)
