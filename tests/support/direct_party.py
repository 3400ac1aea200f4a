"""A requester's side of direct mode, message by message: for tests of the provider."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from library_requester import Blinding, blind
from parties import PartyClient

from padan.v1 import direct_service_pb2 as pb
from padan_linkage.direct.commitment import Commitment, ListLayout

#: The one key of these terms.
KEYS = 'keys = [{ id = "nik", exact = ["nik"] }]\n'
_TERMS = f"""[flow.direct]
{KEYS}records_per_day = 1
records_per_list = 1
minimum_batch = 1

[flow.schema]
"""


def set_terms(text: str, day: int, per_list: int, minimum: int) -> str:
    """An agreement's text whose first flow allows direct mode with these limits and one key.

    So an element is a record.
    """
    before, schema, after = text.partition("[flow.schema]\n")
    if "[flow.direct]" not in text:
        before, schema = before + _TERMS, ""
    text = before + schema + after
    terms = {"records_per_day": day, "records_per_list": per_list, "minimum_batch": minimum}
    head, direct, tail = text.partition("[flow.direct]\n")
    assert direct
    tail = re.sub(r"(?ms)^keys = \[$.*?^\]$\n", KEYS, tail, count=1)
    for name, value in terms.items():
        tail, found = re.subn(rf"(?m)^{name} = [\d_]+", f"{name} = {value}", tail, count=1)
        assert found
    return head + direct + tail


@dataclass(frozen=True)
class Asked:
    """A list as its owner keeps it: blinded elements, how they lie, the commitment to them."""

    layout: ListLayout
    blinding: Blinding
    commitment: Commitment

    @classmethod
    def of(cls, inputs: Iterable[bytes], widths: tuple[int, ...] = (1,)) -> Asked:
        """Blind some inputs, of which each record asks ``widths``, one key after the other."""
        blinding = blind(list(inputs))
        layout = ListLayout(len(blinding) // sum(widths), widths)
        return cls(layout, blinding, Commitment.to(layout, blinding.elements))

    @property
    def count(self) -> int:
        """Number of elements."""
        return len(self.blinding)

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return self.layout.chunk_count

    def elements(self, chunk: int) -> bytes:
        """The elements of a chunk."""
        place = self.layout.chunk(chunk)
        return self.blinding.elements[32 * place.start : 32 * (place.start + place.count)]

    def message(self, name: str, number: int, /, **changes: object) -> pb.EvaluateElementsRequest:
        """The request for a chunk of the list called ``name``; ``changes`` to lie."""
        values = {
            "blinded_list": name,
            "chunk": number,
            "elements": self.elements(number),
            "audit_path": self.commitment.audit_path(number),
            **changes,
        }
        return pb.EvaluateElementsRequest(**values)

    def commit(
        self, client: PartyClient, *, epoch: int = 1, request_id: str | None = None, **changes
    ) -> pb.BlindedList:
        """Commit to it; ``changes`` to lie."""
        values = {
            "epoch": epoch,
            "element_count": self.count,
            "root": self.commitment.root,
            **changes,
        }
        return client.direct.CreateBlindedList(
            pb.CreateBlindedListRequest(
                parent=client.parent,
                blinded_list=pb.BlindedList(**values),
                request_id=str(uuid.uuid4()) if request_id is None else request_id,
            )
        )


@lru_cache(maxsize=8)
def asked(count: int, mark: str = "") -> Asked:
    """A list of that many elements; the same one for the same ``mark``."""
    return Asked.of(f"{mark} {i}".encode() for i in range(count))
