"""What a schema and its people tell of each: sex, birth date, which fields are one name."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_linkage.cover.newcomers import Numbers
from padan_linkage.normalise import derive
from padan_linkage.schema import Kind, Schema

Fields = dict[str, pa.StringArray]

UNKNOWN, MAN, WOMAN = range(3)


def groups_of_names(schema: Schema, names: list[str]) -> list[list[str]]:
    """Fields that are one name stand together: those whose segments are compared crosswise."""
    for p in schema.passes:
        parts = [n for s in p.similar if s.group for n in s.fields if n in names]
        if len(set(parts)) > 1:
            together = [n for n in names if n in parts]
            return [together, *([n] for n in names if n not in parts)]
    return [[n] for n in names]


def birth_field(schema: Schema, sound: Fields) -> str | None:
    """The date that people's NIKs or NIPs hold, or else the first date; None without dates."""
    dates = [f.name for f in schema.fields if f.kind is Kind.DATE and f.name in sound]
    if len(dates) < 2:
        return dates[0] if dates else None
    for kind in (Kind.NIK, Kind.NIP):
        for f in schema.fields:
            if f.kind is kind and f.name in sound:
                held = pc.utf8_slice_codeunits(derive(kind, "birth_date", sound[f.name]), 2, 10)
                agree = [
                    pc.sum(pc.and_(pc.not_equal(held, ""), pc.equal(
                        held, pc.utf8_slice_codeunits(sound[d], 2, 10)))).as_py() or 0
                    for d in dates
                ]  # fmt: skip
                if max(agree):
                    return dates[int(np.argmax(agree))]
    return dates[0]


def sexes(schema: Schema, sound: Fields) -> Numbers:
    """Man or woman of each person, from the field or the NIK; int64[n]."""
    found = np.zeros(len(next(iter(sound.values()))), np.int64)
    for f in schema.fields:
        if f.name not in sound:
            continue
        if f.kind is Kind.NIK:
            told = pc.utf8_slice_codeunits(sound[f.name], 6, 7).to_numpy(zero_copy_only=False)
            told = np.where(told == "", UNKNOWN, np.where(told >= "4", WOMAN, MAN))
        elif f.kind is Kind.SEX:
            text = sound[f.name].to_numpy(zero_copy_only=False)
            told = np.select([text == "L", text == "P"], [MAN, WOMAN], UNKNOWN)
        else:
            continue
        found = np.where(found == UNKNOWN, told, found).astype(np.int64)
    return found
