"""The largest agreement that is allowed, with the longest ids: its heads fit into every call."""

from __future__ import annotations

import re

import pytest
from agency import small_passes

from padan.v1 import agreement_service_pb2 as pb
from padan.v1.reason_texts import ServerKind
from padan_client.base.effects import call
from padan_client.transport.channel import Link
from padan_linkage.agreement import AgreementError
from padan_linkage.agreement.model import MAX_FLOWS
from padan_linkage.crypto.heads import chain_name

_LONGEST = 63
_EVENTS = 150


def longest(name: str) -> str:
    return f"{name}-".ljust(_LONGEST, "x")


def with_long_id(table: str) -> str:
    """A table of TOML whose first id is as long as there may be."""
    return re.sub(r'(?m)^id = "(.*)"', lambda m: f'id = "{longest(m[1])}"', table, count=1)


def with_flows(number: int):
    """Gives the example so many flows, and each of them, and itself, the longest id."""

    def edit(text: str) -> str:
        head, *flows = re.split(r"(?m)^(?=\[\[flow\]\])", small_passes(text))
        one = next(flow for flow in flows if 'id = "referensi"' in flow)
        flows += [one.replace("referensi", f"ulang-{i}", 1) for i in range(number - len(flows))]
        return "".join(map(with_long_id, [head, *flows]))

    return edit


@pytest.fixture
def pair(make_pair):
    return make_pair(longest("asn-status"), edit=with_flows(MAX_FLOWS))


def change(home, agreement, method):
    with Link.open(home, agreement) as link:
        request = getattr(pb, f"{method}Request")(name=f"agreements/{agreement}")
        if method == "SuspendAgreement":
            request.article = "Pasal 10 ayat (2)"
        link.run(call(f"AgreementService.{method}", request, pb.Agreement, home.patience))


def test_every_flow_is_caught_up_with_and_the_agreement_can_be_suspended(pair):
    agreement = pair.unit.house.signed.agreement
    assert len(agreement.flows) == MAX_FLOWS
    change(pair.requester, agreement.id, "SuspendAgreement")  # all heads are known from now on
    store = pair.unit.unit._store
    chains = ["", *(flow.id for flow in agreement.flows)]
    for chain in chains:
        with store.write() as tx:
            for day in range(_EVENTS):
                tx.heads.append(agreement.id, chain, "charged", day=day)
    change(pair.requester, agreement.id, "ResumeAgreement")
    seen = pair.requester.known_heads(agreement.id).of(ServerKind.UNIT).heads
    now = {chain_name(agreement.id, c): store.head(agreement.id, c) for c in chains}
    assert seen == now


def test_one_flow_more_is_refused_with_both_numbers(make_house):
    with pytest.raises(AgreementError) as refused:
        make_house(edit=with_flows(MAX_FLOWS + 1))
    (finding,) = refused.value.findings
    assert (finding.code, finding.where) == ("flow-too-many", "flow")
    for text in (finding.id_text, finding.en_text):
        assert str(MAX_FLOWS + 1) in text
        assert f"{MAX_FLOWS} " in text or f"{MAX_FLOWS}." in text
