"""Editions of tables that nobody measured: shipped priors, and figures made up.

For benches and tests whose tables are random bytes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from padan.v1 import resources_pb2
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.edition.document import (
    ANY,
    SHIPPED,
    SIGNED,
    Edition,
    GivenFields,
    calibrations_document,
    digest,
)
from padan_linkage.matching.scoring.calibration import Calibration, Survivors, from_strangers
from padan_linkage.matching.scoring.features import FeaturePlan, reach_cut, screen_cut
from padan_linkage.schema import Layout, Pass, Schema


def prior(schema: Schema, p: Pass) -> Calibration:
    """What a pass with a filter is scored by where no stranger was ever seen."""
    plan = FeaturePlan.of(p, presence=Layout.of(schema, p, provider=True).presence > 0)
    nobody = np.zeros(0, np.int64)
    none = Survivors(
        rows=1,
        asking=np.zeros(1, np.int64),
        row=nobody,
        other=nobody,
        levels=np.zeros((0, plan.features), np.int64),
        noise=np.zeros(0),
    )
    cut = max(screen_cut(plan.segments, 1e-5), reach_cut(plan))
    return from_strangers(plan, none, cut).drawn(3.0, 0.0)


def priors_of(schema: Schema) -> dict[str, Calibration]:
    """By pass, for every pass with a filter."""
    return {p.id: prior(schema, p) for p in schema.passes if p.similar}


def open_edition(
    schema: Schema,
    agreement: bytes,
    flow: str,
    policy: MatchPolicy,
    calibrations: dict[str, Calibration],
) -> Edition:
    """One under which every pass may answer, whatever fields are given, and so may «not found»."""
    fields = schema.compared
    passes = tuple(p.id for p in schema.passes)
    given = tuple(
        GivenFields(
            fields=tuple(f for bit, f in enumerate(fields) if number >> bit & 1),
            telling=ANY,
            asked=1000,
            answered=0.998,
            noticed=0.999,
            wrong=1e-4,
            answering=passes,
            usable=passes,
        )
        for number in range(1, 1 << len(fields))
    )
    return Edition(
        agreement=agreement.hex(),
        flow=flow,
        schema=schema.digest().hex(),
        rate=policy.max_false_match_rate,
        records=1000,
        levels=SHIPPED,
        calibrations=digest(calibrations_document(calibrations)),
        common=(),
        given=given,
    )


def signed_edition(
    edition: Edition, calibrations: dict[str, Calibration], sign: Callable[[bytes], bytes]
) -> resources_pb2.Edition:
    """As it comes with a commit; ``sign`` is the provider's."""
    document = edition.document()
    return resources_pb2.Edition(
        document=document,
        signature=sign(SIGNED + document),
        calibrations=calibrations_document(calibrations),
    )
