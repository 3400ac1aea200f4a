"""``padan agreement``: make, check, sign, verify, show and watch agreements."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from padan.v1 import agreement_service_pb2 as pb
from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import BadInputError
from padan_client.base.files import write_public
from padan_client.base.language import t
from padan_client.cli import key_changes, server_pasts
from padan_client.cli.asking import claim_in
from padan_client.cli.commands import levels
from padan_client.cli.common import Exit, err, out, print_json, reports_errors
from padan_client.cli.home import ask_passphrase, open_home
from padan_client.cli.options import HOME, ForceFlag, HomeOption, JsonFlag, ServerOfFlowOption
from padan_client.cli.views import agreement as views
from padan_client.home import agreement_files as files
from padan_client.home.config import FILE as CONFIG_FILE
from padan_client.home.config import load_config
from padan_client.home.identity import is_encrypted, load_identity
from padan_linkage.agreement import (
    Severity,
    agreement_digest,
    lint,
    load_signed,
    standing_of,
)
from padan_linkage.agreement.standing import day_start

if TYPE_CHECKING:
    from padan_client.home.folder import Home

Change: TypeAlias = pb.SuspendAgreementRequest | pb.ResumeAgreementRequest

app = typer.Typer(no_args_is_help=True)
levels.register(app)
server_pasts.register(app)
key_changes.register(app)

FileArgument = Annotated[
    Path, typer.Argument(help="Berkas perjanjian, atau id-nya. / Agreement file, or its id.")
]
AtOption = Annotated[
    datetime | None,
    typer.Option("--at", formats=["%Y-%m-%d"], help="Anggap hari ini. / Pretend it is this day."),
]
IdArgument = Annotated[str, typer.Argument(help="Id perjanjian. / Agreement id.")]


@app.callback()
def group() -> None:
    """Perjanjian kerja sama sebagai program. / The cooperation agreement as the program."""


@app.command()
@reports_errors
def new(
    source: Annotated[
        str, typer.Option("--from", help="Id contoh atau berkas. / Example id or a file.")
    ],
    target: Annotated[Path, typer.Option("--out", help="Berkas baru. / File to write.")],
    party: Annotated[
        list[str] | None,
        typer.Option(help="PIHAK=BERKAS kunci publik. / PARTY=FILE of public keys."),
    ] = None,
    unit: Annotated[
        list[Path] | None,
        typer.Option(
            help="Sertifikat unit (PEM); dua bila kuncinya akan diganti. / Certificate of the unit "
            "(PEM); two where its key is to change."
        ),
    ] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(
            help="PIHAK=BERKAS sertifikat server mode langsung. / PARTY=FILE, certificate of a "
            "server of direct mode."
        ),
    ] = None,
    *,
    force: ForceFlag = False,
    json_: JsonFlag = False,
) -> None:
    """Buat berkas perjanjian dan isi kunci publiknya. / Make a file with the keys in it."""
    public = dict(_of_parties("--party", party or []))
    servers = _of_parties("--server", server or [])
    document = files.new_document(source, public)
    document = files.with_server_pins(document, unit or [], servers)
    agreement = files.parsed(document)
    if target.name != f"{agreement.id}.toml":
        err.print(
            t(
                f"Catatan: namanya harus {agreement.id}.toml sebelum ditandatangani.",
                f"Note: it must be called {agreement.id}.toml before signing.",
            )
        )
    # A draft may be filled in where it lies: the other party's key is added to what is there.
    reads = [*public.values(), *(unit or []), *(path for _, path in servers)]
    claim_in(target.parent, [target], reads=reads, force=force)
    write_public(target, document)
    missing = [p.id for p in agreement.parties if not (p.sign_key and p.exchange_key)]
    unknown = files.unknown_servers(agreement)
    if json_:
        print_json(
            {
                "agreement": agreement.id,
                "file": str(target),
                "missing_keys": missing,
                "missing_pins": unknown,
                "digest": agreement_digest(document).hex(),
            }
        )
        return
    out.print(t(f"Tertulis: {target}", f"Written: {target}"), highlight=False)
    if missing:
        out.print(
            t(
                f"Kunci belum diisi: {', '.join(missing)}.",
                f"Keys still missing: {', '.join(missing)}.",
            )
        )
    if unknown:
        out.print(
            t(
                f"Sertifikat server belum disebut: {', '.join(unknown)} (--unit, --server).",
                f"Certificates of servers still missing: {', '.join(unknown)} (--unit, --server).",
            )
        )


@app.command("lint")
@reports_errors
def lint_command(
    file: FileArgument, *, home: HomeOption = HOME, at: AtOption = None, json_: JsonFlag = False
) -> None:
    """Cari apa yang akan dipersoalkan ahli hukum dan insinyur. / Find what would be objected to."""
    findings = lint(files.read_document(_located(file, home)), _moment(at))
    errors = sum(f.severity is Severity.ERROR for f in findings)
    if json_:
        print_json(
            {
                "file": str(file),
                "errors": errors,
                "warnings": len(findings) - errors,
                "findings": [views.finding_json(f) for f in findings],
            }
        )
    elif findings:
        out.print(views.findings_table(findings))
    else:
        out.print(t("Tidak ada temuan.", "Nothing found."))
    if errors:
        raise typer.Exit(int(Exit.BAD_INPUT))


@app.command()
@reports_errors
def sign(file: FileArgument, *, home: HomeOption = HOME, json_: JsonFlag = False) -> None:
    """Tanda tangani isi berkas apa adanya. / Sign the file's exact bytes."""
    file = _located(file, home)
    passphrase = ask_passphrase() if is_encrypted(home) else None
    identity = load_identity(home, passphrase=passphrase)
    target = files.sign_file(file, identity)
    if json_:
        print_json(
            {
                "file": str(file),
                "party": identity.party,
                "signature": str(target),
                "digest": agreement_digest(files.read_document(file)).hex(),
            }
        )
    else:
        out.print(
            t(f"{identity.party} menandatangani: {target}", f"{identity.party} signed: {target}"),
            highlight=False,
        )


@app.command()
@reports_errors
def verify(file: FileArgument, *, home: HomeOption = HOME, json_: JsonFlag = False) -> None:
    """Periksa tanda tangan semua pihak. / Verify every party's signature."""
    signed = files.verified(_located(file, home))
    parties = sorted(signed.signatures)
    if json_:
        print_json({"agreement": signed.id, "digest": signed.digest.hex(), "signed_by": parties})
    else:
        out.print(
            t(
                f"Sah: {signed.id} ditandatangani {', '.join(parties)}.",
                f"Valid: {signed.id} is signed by {', '.join(parties)}.",
            ),
            highlight=False,
        )
        out.print(f"SHA-256 {signed.digest.hex()}", highlight=False)


@app.command()
@reports_errors
def show(
    file: FileArgument, *, home: HomeOption = HOME, at: AtOption = None, json_: JsonFlag = False
) -> None:
    """Tampilkan isi perjanjian. / Show what the agreement says."""
    file = _located(file, home)
    document = files.read_document(file)
    agreement = files.parsed(document)
    standing = standing_of(agreement, _moment(at))
    if json_:
        print_json(
            views.agreement_json(
                agreement, agreement_digest(document), standing, load_signed(file).signatures
            )
        )
    else:
        out.print(views.agreement_view(agreement, standing))


@app.command()
@reports_errors
def status(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Id, berkas atau folder. / Ids, files or folders."),
    ] = None,
    *,
    home: HomeOption = HOME,
    at: AtOption = None,
    unit: Annotated[
        bool, typer.Option("--unit", help="Tanyakan penangguhan ke unit. / Ask for suspensions.")
    ] = False,
    json_: JsonFlag = False,
) -> None:
    """Keadaan, sisa hari dan tenggat berikutnya. / State, days left and next dates."""
    now = _moment(at)
    folder = _agreements_folder(home)
    signed = files.collect([files.located(p, folder) for p in paths or ()] or [folder])
    suspensions = _suspensions(home) if unit else {}
    entries = [views.status_entry(s, now, suspensions.get(s.id, ())) for s in signed]
    if json_:
        print_json({"at": now.isoformat(), "agreements": entries})
    else:
        out.print(views.status_table(entries))


@app.command()
@reports_errors
def suspend(
    agreement: IdArgument,
    *,
    article: Annotated[str, typer.Option(help="Pasal dasarnya. / The article it rests on.")] = "",
    flow: ServerOfFlowOption = None,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Tangguhkan perjanjian di unit (keadaan kahar). / Suspend it at the unit (force majeure)."""
    opened = open_home(home)
    signed = opened.signed_agreement(agreement)
    assert signed.agreement is not None
    request = pb.SuspendAgreementRequest(
        name=f"agreements/{agreement}",
        article=article or signed.agreement.suspension_article,
        request_id=str(uuid.uuid4()),
    )
    _change(opened, "AgreementService.SuspendAgreement", request, flow, json_=json_)


@app.command()
@reports_errors
def resume(
    agreement: IdArgument,
    *,
    flow: ServerOfFlowOption = None,
    home: HomeOption = HOME,
    json_: JsonFlag = False,
) -> None:
    """Akhiri penangguhan oleh instansi sendiri. / End this agency's own suspension."""
    opened = open_home(home)
    opened.signed_agreement(agreement)
    request = pb.ResumeAgreementRequest(
        name=f"agreements/{agreement}", request_id=str(uuid.uuid4())
    )
    _change(opened, "AgreementService.ResumeAgreement", request, flow, json_=json_)


def _change(opened: Home, method: str, request: Change, flow: str | None, *, json_: bool) -> None:
    from padan_client.base.effects import call
    from padan_client.transport.channel import Link

    agreement = request.name.removeprefix("agreements/")
    server = ServerKind.UNIT if flow is None else ServerKind.PROVIDER
    of_flow = "" if flow is None else opened.served_directly(agreement, flow).id
    with Link.open(opened, agreement, of_flow) as link:
        changed = link.run(call(method, request, pb.Agreement, opened.patience, server))
    state = pb.Agreement.State.Name(changed.state).removeprefix("STATE_").lower()
    suspended_by = sorted(changed.suspended_by)
    others = ", ".join(party for party in suspended_by if party != opened.identity.party)
    if json_:
        print_json(
            {
                "agreement": agreement,
                "state": state,
                "article": changed.state_article,
                "suspended_by": suspended_by,
            }
        )
    else:
        out.print(
            f"{request.name}: {views.state_word(state)} ({changed.state_article})",
            markup=False,
            highlight=False,
        )
        if others:
            out.print(
                t(
                    f"Ditangguhkan oleh {others}; hanya yang menangguhkan dapat mengakhirinya.",
                    f"Suspended by {others}; only the one that suspended can end it.",
                ),
                markup=False,
                highlight=False,
            )


def _suspensions(home: Path) -> dict[str, tuple[str, ...]]:
    """Who has suspended which agreement, as the unit knows it."""
    from padan_client.protocol.paging import listed
    from padan_client.transport.channel import Link
    from padan_client.transport.pinning import every_agreements_pins

    config = load_config(home)
    steps = listed(
        "AgreementService.ListAgreements",
        pb.ListAgreementsRequest(page_size=1000),
        pb.ListAgreementsResponse,
        "agreements",
        config.timeouts.patience(random.random),
    )
    with Link.known(config, home, every_agreements_pins(config, home)) as link:
        found = link.run(steps)
    return {a.name.removeprefix("agreements/"): tuple(sorted(a.suspended_by)) for a in found}


def _located(file: Path, home: Path) -> Path:
    """The file that was named, by its name or its agreement's id."""
    return files.located(file, _agreements_folder(home))


def _agreements_folder(home: Path) -> Path:
    if (home / CONFIG_FILE).exists():
        return home / load_config(home).agreements
    return home / "agreements"


def _of_parties(option: str, given: list[str]) -> list[tuple[str, Path]]:
    pairs: list[tuple[str, Path]] = []
    for item in given:
        party, _, path = item.partition("=")
        if not party or not path:
            raise BadInputError(
                t(
                    f"{option} {item}: tulis sebagai PIHAK=BERKAS.",
                    f"{option} {item}: write PARTY=FILE.",
                )
            )
        pairs.append((party, Path(path)))
    return pairs


def _moment(at: datetime | None) -> datetime:
    return datetime.now(UTC) if at is None else day_start(at.date())
