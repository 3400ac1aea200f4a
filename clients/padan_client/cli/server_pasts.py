"""``padan agreement heads`` and ``accept-restore``: how far a server came, and a new beginning."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from padan.v1 import agreement_service_pb2 as pb
from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.reasons import about
from padan_client.cli.asking import agree
from padan_client.cli.common import out, print_json, reports_errors, say
from padan_client.cli.home import open_home
from padan_client.cli.options import HOME, HomeOption, JsonFlag, ServerOfFlowOption, YesFlag
from padan_client.cli.views.pasts import past_lines, pasts_json
from padan_linkage.crypto.heads import chain_name, restored_head

if TYPE_CHECKING:
    from padan_client.home.folder import Home
    from padan_client.home.protection.known_heads import KnownServerPast
    from padan_client.transport.pasts import Pasts

IdArgument = Annotated[str, typer.Argument(help="Id perjanjian. / Agreement id.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``padan agreement``."""
    app.command("heads")(heads)
    app.command("accept-restore")(accept_restore)


@reports_errors
def heads(agreement: IdArgument, *, home: HomeOption = HOME, json_: JsonFlag = False) -> None:
    """Sampai mana server terakhir terlihat. / How far the servers had come when last seen."""
    opened = open_home(home)
    from padan_client.home.protection.known_heads import heads_of_each

    signed = opened.signed_agreement(agreement).agreement
    assert signed is not None
    # Spec 30, "Heads", step 5.
    known = heads_of_each(opened.folder, agreement, signed.direct_providers)
    pasts = {server: heads.of(server[0]) for server, heads in known.items()}
    if json_:
        print_json({"agreement": agreement, "servers": pasts_json(pasts)})
        return
    for line in past_lines(pasts):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


@reports_errors
def accept_restore(
    agreement: IdArgument,
    *,
    of_flow: ServerOfFlowOption = None,
    yes: YesFlag = False,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Terima pemulihan yang dinyatakan operator. / Accept a restore that an operator declared."""
    opened = open_home(home)
    opened.signed_agreement(agreement)
    server, flow, party = ServerKind.UNIT, "", ""
    if of_flow is not None:
        opened.place(agreement, of_flow)
        served = opened.served_directly(agreement, of_flow)
        server, flow, party = ServerKind.PROVIDER, served.id, served.provider
    known = opened.known_heads(agreement, flow)
    before, now = known.of(server), _present(opened, agreement, flow, server)
    _require_another_store(server, before, now)
    _require_led_on(opened, agreement, flow, server, before, now)
    _require_never_left(server, before, now)
    _require_declared(opened, agreement, flow, server, now)
    seen, told = (past_lines({(server, party): past}) for past in (before, now))
    lines = [t("Terakhir terlihat di sini:", "Last seen here:"), *seen]
    for line in (*lines, t("Sekarang:", "Now:"), *told):
        say(line)
    agree(
        t(
            "Yang terjadi di antara keduanya tidak diketahui lagi di sana: penangguhan, kuota, "
            "registri. Perjanjian ditangguhkan di sana sampai semua pihak mengakhirinya.",
            "What happened between the two is not known there any more: suspensions, quotas, "
            "registries. The agreement is suspended there until all parties end that.",
        ),
        given=yes,
        option="--yes",
    )
    known.accept(server, now)
    if json_:
        print_json({"agreement": agreement, "servers": pasts_json({(server, party): now})})


def _present(
    opened: Home, agreement: str, flow: str, server: ServerKind, pasts: Pasts | None = None
) -> KnownServerPast:
    """What the server says of its past now, compared with ``pasts``, or with nothing."""
    from padan_client.base.effects import call
    from padan_client.transport.channel import Link
    from padan_client.transport.pinning import agreed_pins

    pins = agreed_pins(opened, agreement, flow)
    request = pb.GetAgreementRequest(name=f"agreements/{agreement}")
    asked = call("AgreementService.GetAgreement", request, pb.Agreement, opened.patience, server)
    with Link.known(opened.config, opened.folder, pins, pasts) as link:
        link.run(asked)
        return link.pasts.seen[server]


def _require_declared(
    opened: Home, agreement: str, flow: str, server: ServerKind, now: KnownServerPast
) -> None:
    """Raise BadInputError unless the agreement's chain there begins with a declared restore.

    A server that lost its whole directory begins anew too, and has nothing that it could hold.
    """
    from padan_client.home.protection.known_heads import GivenHeads
    from padan_client.transport.pasts import Pasts, ServerPastError

    # Spec 30, "Heads", step 6.
    name = chain_name(agreement)
    if name in now.heads:
        beginning = GivenHeads(restored_head(now.heads[name].store, agreement))
        with suppress(ServerPastError):
            _present(opened, agreement, flow, server, Pasts(beginning, agreement, flow))
            return
    raise BadInputError(
        about(
            server,
            "{Server} memulai riwayat baru tanpa pernyataan pemulihan: mungkin direktori datanya "
            "hilang atau tidak terpasang, sehingga penangguhan dan kuota tidak dijaga. Tidak ada "
            "yang diterima. Minta {operator} mengembalikan direktori yang benar, atau, bila "
            "hilang, menjalankan padan-server accept restore lalu memulai servernya lagi.",
            "{Server} began a new past, and no restore was declared: its data directory may be "
            "lost or not mounted, so suspensions and quotas are not taken care of. Nothing was "
            "accepted. Ask {operator} to put the right directory back or, if it is lost, to run "
            "padan-server accept restore and start the server again.",
        )
    )


def _require_another_store(
    server: ServerKind, before: KnownServerPast, now: KnownServerPast
) -> None:
    """Raise BadInputError where the server still has the store that was seen."""
    if before.stores != now.stores:
        return
    raise BadInputError(
        about(
            server,
            "{Server} tidak menyatakan pemulihan sejak itu: basis datanya masih yang terlihat di "
            "sini. Bila ia mundur, minta {operator} menjalankan padan-server accept restore lebih "
            "dulu, sebab baru dengan itu penangguhan dan kuota dijaga.",
            "{Server} has declared no restore since: its store is the one seen here. If it went "
            "back, ask {operator} to run padan-server accept restore first, for only then are "
            "suspensions and quotas taken care of.",
        )
    )


def _require_led_on(
    opened: Home,
    agreement: str,
    flow: str,
    server: ServerKind,
    before: KnownServerPast,
    now: KnownServerPast,
) -> None:
    """Raise ServerPastError where the server went back within the store that it has now.

    A file of an earlier version can have heads of that store beside heads of the one before.
    """
    from padan_client.home.protection.known_heads import GivenHeads
    from padan_client.transport.pasts import Pasts

    seen = [head for head in before.heads.values() if head.store in now.stores]
    if seen:
        _present(opened, agreement, flow, server, Pasts(GivenHeads(*seen), agreement, flow))


def _require_never_left(server: ServerKind, before: KnownServerPast, now: KnownServerPast) -> None:
    """Raise BadInputError where the server has a store again that it had before the present one.

    That its restore was declared is true, and was so before this home accepted another.
    """
    # Spec 30, "Heads", step 6.
    again = now.stores & before.left
    if not again:
        return
    store = min(again).hex()[:8]
    raise BadInputError(
        about(
            server,
            f"{{Server}} kembali ke basis data {store}, yang sudah diganti yang lebih baru: apa "
            "yang terjadi sejak itu, juga penangguhan, tidak diketahui di sana, dan hal itu tidak "
            "dinyatakan. Tidak ada yang diterima. Minta {operator} mengembalikan direktori yang "
            "benar, atau menjalankan padan-server accept restore lalu memulai servernya lagi.",
            f"{{Server}} is back at store {store}, in the place of which a newer one had come: "
            "what has happened since, suspensions too, is not known there, and that was not "
            "declared. Nothing was accepted. Ask {operator} to put the right directory back, or "
            "to run padan-server accept restore and start the server again.",
        )
    )
