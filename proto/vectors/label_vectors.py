"""Vectors of labels: persons, what their labels say, rows of a table, gone rows (spec 60)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from material import key_bytes
from numpy.typing import NDArray

from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.inputs import key_inputs
from padan_linkage.direct.labelling.bodies import BODY, Bodies, LabelAnswers, masked
from padan_linkage.direct.labelling.hkdf import extract
from padan_linkage.direct.labelling.labels import gone_tags, label_keys, label_rows, numbered
from padan_linkage.direct.labelling.persons import (
    PersonSecrets,
    base_secret,
    places,
    pseudonyms,
)
from padan_linkage.direct.labelling.rarity import Rarities, counted, value_words
from padan_linkage.direct.oprf import EvaluationKey
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.direct.table import ROW_BYTES, by_tag
from padan_linkage.schema import Schema

#: A delta of a base, its first.
SEQUENCE = 1
DUMMIES = 3

#: By the direct key's id.
Keys = Mapping[str, EvaluationKey]


@dataclass(frozen=True)
class LabelVectors:
    """What labels are made of: schema, normalised columns, codes, evaluation keys."""

    schema: DirectSchema
    fields: Schema
    columns: dict[str, pa.StringArray]
    codes: NDArray[np.uint64]
    keys: Keys
    seed: bytes
    base_id: bytes
    table_id: bytes

    @property
    def references(self) -> pa.StringArray:
        """The persons."""
        return pa.array([f"R{n}" for n in range(len(self.codes))])

    @property
    def secret(self) -> bytes:
        """Of the base."""
        return base_secret(self.seed, self.base_id)

    def persons(self) -> list[dict[str, Any]]:
        """Pseudonym and secrets of each, and the answer under them."""
        own = PersonSecrets.of(self.secret, SEQUENCE, self.references)
        answers = LabelAnswers.of(self.codes)
        columns = {
            "pseudonym": pseudonyms(self.secret, self.references),
            "secret": own.secret,
            "slope": own.slope,
            "answer": answers.pack(),
            "masked": masked(answers.pack(), own.secret, self.table_id),
        }
        return [
            {"reference": reference, "codes": int(self.codes[i])}
            | {name: rows[i].tobytes().hex() for name, rows in columns.items()}
            for i, reference in enumerate(self.references.to_pylist())
        ]

    def whole(self) -> tuple[list[tuple[str, str, bytes, int]], NDArray[np.uint8], Bodies]:
        """Of every value of every person its key, input, output and person; keys and bodies."""
        own = PersonSecrets.of(self.secret, SEQUENCE, self.references)
        place = places(self.schema)
        values, secrets, bodies, words = [], [], [], []
        for number, key in enumerate(self.schema.keys):
            inputs = key_inputs(self.fields, key, self.columns)
            messages = inputs.messages.to_pylist()
            outputs = self.keys[key.id].evaluate(messages)
            made = np.zeros(len(inputs), BODY)
            made["pseudonym"] = pseudonyms(self.secret, self.references)[inputs.record]
            made["opener"] = own.openers(place[key.id])[inputs.record]
            answers = masked(LabelAnswers.of(self.codes).pack(), own.secret, self.table_id)
            made["answer"] = answers[inputs.record]
            words.append((inputs.record, value_words(self.fields, key, number, inputs)))
            values += [
                (key.id, message.hex(), outputs[i].tobytes(), int(inputs.record[i]))
                for i, message in enumerate(messages)
            ]
            secrets.append(extract(outputs))
            bodies.append(made)
        rarities = Rarities.of(counted(words), len(self.codes))
        for made, (_, each) in zip(bodies, words, strict=True):
            made["rarity"] = rarities.of_values(each)
        return values, np.concatenate(secrets), np.concatenate(bodies)

    def labels(self) -> list[dict[str, Any]]:
        """Each label, from its input to its row."""
        values, secrets, bodies = self.whole()
        order, numbers = numbered(secrets, bodies["pseudonym"])
        tags, pads = label_keys(secrets[order], numbers, self.table_id)
        rows = label_rows(secrets[order], numbers, bodies[order], self.table_id)
        made = []
        for at, i in enumerate(order.tolist()):
            key, message, output, person = values[i]
            made.append(
                {
                    "key": key,
                    "input": message,
                    "output": output.hex(),
                    "person": person,
                    "number": int(numbers[at]),
                    "rarity": int(bodies["rarity"][i]),
                    "tag": tags[at].tobytes().hex(),
                    "pad": pads[at].tobytes().hex(),
                    "row": rows[at].tobytes().hex(),
                }
            )
        return sorted(made, key=lambda label: (label["key"], label["input"], label["number"]))

    def gone(self) -> list[dict[str, str]]:
        """What a delta says of persons who left."""
        whose = pseudonyms(self.secret, self.references)
        return [
            {"pseudonym": one.tobytes().hex(), "tag": tag.tobytes().hex()}
            for one, tag in zip(whose, gone_tags(whose, self.table_id), strict=True)
        ]

    def rows(self) -> list[str]:
        """The whole table, with three dummies and no padding."""
        _, secrets, bodies = self.whole()
        order, numbers = numbered(secrets, bodies["pseudonym"])
        rows = label_rows(secrets[order], numbers, bodies[order], self.table_id)
        noise = Drbg(key_bytes("dummies")).bytes(DUMMIES * ROW_BYTES)
        dummies = np.frombuffer(noise, np.uint8).reshape(-1, ROW_BYTES)
        return [row.tobytes().hex() for row in by_tag(np.concatenate([rows, dummies]))]
