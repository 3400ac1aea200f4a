import pytest

from padan.v1 import agreement_service_pb2 as pb
from padan_client.base.effects import Patience
from padan_client.base.errors import VerificationError
from padan_client.protocol.paging import listed

METHOD = "AgreementService.ListAgreements"


def ask(pages, **limits):
    """What the steps return against pages of agreements, and the tokens they asked with."""
    request, tokens = pb.ListAgreementsRequest(page_size=2), []
    answer, patience = pb.ListAgreementsResponse, Patience(lambda: 0.0)
    steps = listed(METHOD, request, answer, "agreements", patience, **limits)
    effect = next(steps)
    while True:
        tokens.append(effect.request.page_token)
        at = len(tokens) - 1
        token = str(at + 1) if at + 1 < len(pages) else ""
        agreements = [pb.Agreement(name=name) for name in pages[at]]
        try:
            effect = steps.send(answer(agreements=agreements, next_page_token=token))
        except StopIteration as stop:
            return [a.name for a in stop.value], tokens


def test_all_pages_are_read_in_their_order():
    assert ask(["ab", "cd", "e"]) == (["a", "b", "c", "d", "e"], ["", "1", "2"])


@pytest.mark.parametrize(("limit", "calls"), [(1, 1), (2, 1), (3, 2)])
def test_no_more_is_asked_for_than_is_wanted(limit, calls):
    found, tokens = ask(["ab", "cd", "e"], limit=limit)
    assert found == list("abcde")[:limit]
    assert len(tokens) == calls


def test_an_empty_page_ends_a_list_of_the_newest():
    assert ask(["ab", "", "c"], limit=5)[0] == ["a", "b"]


@pytest.mark.parametrize("pages", [["ab", "", "c"], ["ab", "cd", "ef"]])
def test_a_list_without_end_is_not_believed(pages):
    with pytest.raises(VerificationError, match="tidak berujung"):
        ask(pages, most=3)
