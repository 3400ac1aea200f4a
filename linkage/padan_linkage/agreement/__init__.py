"""The agreement as the program: file, signatures, dates, lint. Spec: ``40-agreements.md``.

Start at :mod:`.model`, what an agreement says; :mod:`.document` is its file and signatures,
:mod:`.filling` writes keys and pins into a draft, :mod:`.standing` has its dates, :mod:`.lint` what
can be said against it. May import ``direct`` (its schema alone), ``crypto``, ``answering`` and
``schema``.
"""

from padan_linkage.agreement.bounded_toml import TomlTextError, read_toml
from padan_linkage.agreement.directory import (
    AgreementFolder,
    SignedAgreement,
    load_directory,
    load_signed,
    read_bounded,
    with_successors,
)
from padan_linkage.agreement.document import (
    agreement_digest,
    load_agreement,
    parse_signature,
    signature_name,
    signature_statement,
    signature_text,
    verify_signatures,
)
from padan_linkage.agreement.examples import EXAMPLE_IDS, example
from padan_linkage.agreement.filling import fill_keys, fill_pins
from padan_linkage.agreement.findings import AgreementError, Finding, Severity
from padan_linkage.agreement.key_changes import (
    NEW,
    OLD,
    KeyChange,
    SignedKeyChange,
    unit_flows,
)
from padan_linkage.agreement.lint import lint
from padan_linkage.agreement.model import (
    Agreement,
    Cadence,
    Code,
    Flow,
    FlowKind,
    FormerKeys,
    LinkageUnit,
    Mode,
    Party,
    PublicKeys,
    Quota,
    ReleaseLine,
    ReleasePolicy,
    Risk,
)
from padan_linkage.agreement.rules.passes import (
    pass_findings,
    schema_findings,
    signed_findings,
)
from padan_linkage.agreement.standing import (
    JAKARTA,
    AgreementState,
    Due,
    Standing,
    due_dates,
    standing_of,
    term,
)
from padan_linkage.answering.policy import MatchPolicy

__all__ = [
    "EXAMPLE_IDS",
    "JAKARTA",
    "NEW",
    "OLD",
    "Agreement",
    "AgreementError",
    "AgreementFolder",
    "AgreementState",
    "Cadence",
    "Code",
    "Due",
    "Finding",
    "Flow",
    "FlowKind",
    "FormerKeys",
    "KeyChange",
    "LinkageUnit",
    "MatchPolicy",
    "Mode",
    "Party",
    "PublicKeys",
    "Quota",
    "ReleaseLine",
    "ReleasePolicy",
    "Risk",
    "Severity",
    "SignedAgreement",
    "SignedKeyChange",
    "Standing",
    "TomlTextError",
    "agreement_digest",
    "due_dates",
    "example",
    "fill_keys",
    "fill_pins",
    "lint",
    "load_agreement",
    "load_directory",
    "load_signed",
    "parse_signature",
    "pass_findings",
    "read_bounded",
    "read_toml",
    "schema_findings",
    "signature_name",
    "signature_statement",
    "signature_text",
    "signed_findings",
    "standing_of",
    "term",
    "unit_flows",
    "verify_signatures",
    "with_successors",
]
