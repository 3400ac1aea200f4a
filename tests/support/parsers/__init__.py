"""Every parser of bytes that somebody else may have written, to be tried with what nobody wrote.

Start at :mod:`.target`; ``TARGETS`` has all of them by name.
"""

from parsers.codes import CODES
from parsers.documents import DOCUMENTS
from parsers.files import FILES
from parsers.target import Target
from parsers.values import VALUES
from parsers.wire import WIRE


def _read_some(content: bytes) -> None:
    """The first byte says whose the rest is."""
    if content:
        names = sorted(TARGETS)
        TARGETS[names[content[0] % len(names)]].accepts(content[1:])


def _seeds() -> list[bytes]:
    return [bytes([n]) + s for n, name in enumerate(sorted(TARGETS)) for s in TARGETS[name].seeds()]


#: All in one, where there is no time for a process of each.
TOGETHER = Target("together", _read_some, _seeds)
TARGETS: dict[str, Target] = {
    target.name: target for target in (*DOCUMENTS, *FILES, *VALUES, *CODES, *WIRE)
}
