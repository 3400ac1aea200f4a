"""A provider that builds its label tables as it likes, and writes down all that it is sent.

:func:`publish` signs a table whose labels ``choose`` decides, person by person and key by key;
:class:`ServerView` is what a server is sent, message by message, without the random bytes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from agency import NOW
from direct_fixture import DirectPair
from google.protobuf.message import Message
from signing import PartyKeys, sign_manifest

from padan_client.protocol.direct.schemas import usable_schema
from padan_client.records.lists import prepare_list
from padan_linkage.direct.inputs import key_inputs
from padan_linkage.direct.labelling.bodies import BODY, LabelAnswers, masked
from padan_linkage.direct.labelling.hkdf import extract
from padan_linkage.direct.labelling.labels import label_rows, numbered
from padan_linkage.direct.labelling.persons import PersonSecrets, base_secret, places, pseudonyms
from padan_linkage.direct.manifest import Manifest, format_moment
from padan_linkage.direct.oprf import epoch_keys
from padan_linkage.direct.schema import MOST_LABELS
from padan_linkage.direct.table import LabelTableWriter, by_tag
from padan_linkage.normalise import NORMALISER_VERSION
from padan_server.services.guard.interceptor import Guard

#: A label that does not open; a record that is left out.
BROKEN, OUT = -1, None

#: What a table says to a person under a key: codes, BROKEN or OUT.
Choice = Callable[[str, int], int | None]


def publish(
    pair: DirectPair,
    people: list[dict[str, str]],
    choose: Choice,
    created: datetime,
    *,
    base: Manifest | None = None,
    epoch: int = 1,
    name: str = "",
    seed: bytes | None = None,
) -> Manifest:
    """Sign a table of ``people`` as ``choose`` says, and have it served; ``name`` makes its id.

    ``seed``: of another key than the epoch's.
    """
    place = pair.provider.place(*pair.names)
    fields, direct = place.flow.schema, place.flow.direct
    table_id = np.random.default_rng([*name.encode(), int(created.timestamp())]).bytes(16)
    records = prepare_list(
        usable_schema(place.flow, unit=False), people, columns=None, id_column=None
    ).records
    pair.provider.seeds().current(place, NOW)
    seed = seed or pair.provider.seeds().seed(place, epoch)
    keys = epoch_keys(
        seed,
        agreement_digest=place.digest,
        flow_id=place.flow.id,
        epoch=epoch,
        key_ids=[key.id for key in direct.keys],
    )
    base_id = bytes.fromhex(base.base or base.table) if base else table_id
    sequence = base.sequence + 1 if base else 0
    secrets, bodies = [np.zeros((0, 32), np.uint8)], [np.zeros(0, BODY)]
    for key in direct.keys:
        inputs = key_inputs(fields, key, records)
        said = [choose(key.id, int(record)) for record in inputs.record]
        kept = [i for i, codes in enumerate(said) if codes is not OUT]
        if not kept:
            continue
        # Who has several codes is several people.
        whose = pa.array([f"{inputs.record[i]} {said[i]}" for i in kept])
        persons = base_secret(seed, base_id)
        own = PersonSecrets.of(persons, sequence, whose)
        made = np.zeros(len(kept), BODY)
        made["pseudonym"] = pseudonyms(persons, whose)
        made["opener"] = own.openers(places(direct)[key.id])
        answers = LabelAnswers.of(np.array([max(said[i], 1) for i in kept], np.uint64)).pack()
        answers[[said[i] == BROKEN for i in kept], 0] ^= 0x80
        made["answer"] = masked(answers, own.secret, table_id)
        bodies.append(made)
        secrets.append(extract(keys[key.id].evaluate([inputs.messages[i].as_py() for i in kept])))
    whole, found = np.concatenate(secrets), np.concatenate(bodies)
    order, numbers = numbered(whole, found["pseudonym"])
    order, numbers = order[numbers < MOST_LABELS], numbers[numbers < MOST_LABELS]
    rows = by_tag(label_rows(whole[order], numbers, found[order], table_id))
    manifest = _write(pair, rows, table_id.hex(), created, base, keys, epoch)
    pair.server.rescan()
    return manifest


def _write(pair, rows, table, created, base, secrets, epoch) -> Manifest:
    place, folder = pair.provider.place(*pair.names), pair.server.publisher.tables_dir
    draft = folder / f".{table}.new"
    draft.mkdir(parents=True)
    with LabelTableWriter(draft / "rows.bin") as writer:
        writer.append(rows)
    manifest = Manifest(
        agreement=place.agreement.id,
        agreement_digest=place.digest.hex(),
        flow=place.flow.id,
        epoch=epoch,
        table=table,
        base=base.table if base else None,
        sequence=base.sequence + 1 if base else 0,
        public_keys={i: key.public_key.hex() for i, key in secrets.items()},
        root=writer.root.hex(),
        rows=len(rows),
        direct_schema_digest=place.flow.direct.digest(place.flow.schema).hex(),
        normaliser_version=NORMALISER_VERSION,
        created=format_moment(created),
        expires=base.expires if base else format_moment(created + timedelta(days=30)),
    )
    (draft / "manifest.json").write_bytes(manifest.document())
    signature = sign_manifest(manifest, PartyKeys.of(place.flow.provider).sign)
    (draft / "manifest.sig").write_bytes(signature)
    draft.rename(folder / table)
    return manifest


class ServerView:
    """Everything that servers of this process are asked and answer while it watches.

    ``seen``: for each call its method, every message each way with bytes as their lengths and ids
    left out, whether it paused for long before, and how it ended.
    """

    #: Seconds; shorter gaps are the machine's.
    LONG = 20.0

    def __init__(self, monkeypatch) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self._last = time.monotonic()
        single, streamed = Guard._single, Guard._streamed
        view = self

        def watched(handler, kind, behave):
            return handler._replace(**{kind: behave})

        def watched_single(guard, method, handler):
            kind = "stream_unary" if handler.request_streaming else "unary_unary"
            inner = getattr(handler, kind)

            def behave(request, context):
                try:
                    answer = inner(view._asked(method, request), context)
                except BaseException as error:
                    view._note(method, "ended", type(error).__name__)
                    raise
                view._note(method, "out", shape(answer))
                return answer

            return single(guard, method, watched(handler, kind, behave))

        def watched_stream(guard, method, handler):
            kind = "stream_stream" if handler.request_streaming else "unary_stream"
            inner = getattr(handler, kind)

            def behave(request, context):
                try:
                    for answer in inner(view._asked(method, request), context):
                        view._note(method, "out", shape(answer))
                        yield answer
                except BaseException as error:
                    view._note(method, "ended", type(error).__name__)
                    raise
                view._note(method, "ended", "")

            return streamed(guard, method, watched(handler, kind, behave))

        monkeypatch.setattr(Guard, "_single", watched_single)
        monkeypatch.setattr(Guard, "_streamed", watched_stream)

    def take(self) -> list[tuple[Any, ...]]:
        """What was seen since the last time, in order; each way by itself.

        Questions and answers of a stream overlap as threads happen to run.
        """
        taken, self.seen, self._last = self.seen, [], time.monotonic()
        return sorted(taken, key=lambda entry: entry[0])

    def _asked(self, method: str, request: Any) -> Any:
        """A request, or a stream of them, noted when it is taken."""
        if not isinstance(request, Message):
            return self._each(method, request)
        self._note(method, "in", shape(request))
        return request

    def _each(self, method: str, requests: Iterator[Message]) -> Iterator[Message]:
        for request in requests:
            self._note(method, "in", shape(request))
            yield request

    def _note(self, method: str, way: str, what: object) -> None:
        now = time.monotonic()
        waited, self._last = now - self._last > self.LONG, now
        self.seen.append((way, method, what, waited))


def shape(message: Message) -> tuple[Any, ...]:
    """A message without what is random: bytes are lengths, ids and moments left out."""
    found: list[Any] = [message.DESCRIPTOR.name, message.ByteSize()]
    for field, value in message.ListFields():
        if field.name in {"create_time", "request_id", "document", "manifest"}:
            continue
        several = value if hasattr(value, "append") else [value]
        found += [(field.name, _told(each)) for each in several]
    return tuple(found)


def _told(value: object) -> object:
    if isinstance(value, Message):
        return shape(value)
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, str):
        return re.sub(r"[0-9a-f]{32}", "…", value)
    return value
