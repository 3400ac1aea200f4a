"""Lint: everything that can be said against an agreement before it is signed.

The rules are in :mod:`.rules.structure` (a program could not run it), :mod:`.rules.law`,
:mod:`.rules.metering`, :mod:`.rules.passes`, :mod:`.rules.direct` and :mod:`.rules.releases`. Spec
40, "Lint", lists every code with the attack or article behind it.
"""

from __future__ import annotations

from datetime import datetime

from padan_linkage.agreement.document import parse_agreement
from padan_linkage.agreement.findings import AgreementError, Finding, Severity, warning
from padan_linkage.agreement.rules.accepted import ACCEPTED
from padan_linkage.agreement.rules.direct import DIRECT, DIRECT_STRUCTURE
from padan_linkage.agreement.rules.few_fields import FEW_FIELDS
from padan_linkage.agreement.rules.law import LAW
from padan_linkage.agreement.rules.metering import METERING
from padan_linkage.agreement.rules.passes import PASSES
from padan_linkage.agreement.rules.releases import RELEASE_STRUCTURE, RELEASES
from padan_linkage.agreement.rules.structure import STRUCTURE
from padan_linkage.agreement.standing import term

RULES = (
    *STRUCTURE,
    *DIRECT_STRUCTURE,
    *RELEASE_STRUCTURE,
    *LAW,
    *METERING,
    *PASSES,
    *DIRECT,
    *FEW_FIELDS,
    *RELEASES,
    *ACCEPTED,
)


def lint(document: bytes, now: datetime | None = None) -> list[Finding]:
    """Findings about the file, errors first; with ``now`` (aware) also a term that has ended.

    A file whose types are wrong gives those findings alone.
    """
    try:
        agreement = parse_agreement(document)
    except AgreementError as e:
        return list(e.findings)
    found = [f for rule in RULES for f in rule(agreement)]
    if now is not None and now >= term(agreement)[1]:
        found.append(
            warning(
                "term-over",
                "in_force_until",
                f"Perjanjian berakhir pada {agreement.in_force_until}; data tidak akan dilayani.",
                f"The agreement ended on {agreement.in_force_until}; no data will be served.",
            )
        )
    return sorted(found, key=lambda f: f.severity is not Severity.ERROR)
