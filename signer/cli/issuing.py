"""`signer issue`, `supersede` and `fetch`: drafts in, sealed PDFs out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer.cli.console import FILES, LANGUAGE, MANUFACTURER, OUT, REFUSED, complain, language, tell
from signer.cli.house import number_of, read, refuse_unwritable, services, write
from signer.domain import drafting
from signer.errors import SignerError, StorageUnavailable
from signer.services.issue import Order

if TYPE_CHECKING:
    from signer.domain.number import Number
    from signer.services.issue import Issuing
    from signer.services.sealing import Issued
    from signer.verification.wording import Language

_PREPARER = click.option("--preparer", required=True, help="The person who prepared the draft (id).")
_APPROVER = click.option("--approver", required=True, help="Another person, who approves it (id).")
_KEY = click.option("--key", default=None, help="Idempotency key: the same key and draft give the same document.")


@click.command()
@FILES
@MANUFACTURER
@_PREPARER
@_APPROVER
@OUT
@_KEY
@LANGUAGE
def issue(
    files: tuple[Path, ...],
    manufacturer: str,
    preparer: str,
    approver: str,
    out: Path,
    key: str | None,
    lang: str | None,
) -> None:
    """Seal each draft (signer.draft/1, JSON) and write NUMBER.pdf. A file that is refused leaves nothing behind."""
    issuing, spoken = services().issuing, language(lang)
    refuse_unwritable(out)
    orders = {file: _key_of(key, file, many=len(files) > 1) for file in files}
    done = [
        _issue(issuing, file, out, spoken, manufacturer=manufacturer, preparer=preparer, approver=approver, key=chosen)
        for file, chosen in orders.items()
    ]
    sys.exit(0 if all(done) else REFUSED)


@click.command()
@click.argument("number")
@click.argument("file", type=click.Path(path_type=Path))
@MANUFACTURER
@_PREPARER
@_APPROVER
@OUT
@_KEY
@LANGUAGE
def supersede(
    number: str,
    file: Path,
    manufacturer: str,
    preparer: str,
    approver: str,
    out: Path,
    key: str | None,
    lang: str | None,
) -> None:
    """Seal a draft that takes its vehicles over from NUMBER; the other vehicles of NUMBER stay in force."""
    older, spoken = number_of(number), language(lang)
    refuse_unwritable(out)
    done = _issue(
        services().issuing,
        file,
        out,
        spoken,
        manufacturer=manufacturer,
        preparer=preparer,
        approver=approver,
        key=key,
        supersedes=older,
    )
    sys.exit(0 if done else REFUSED)


def _key_of(key: str | None, file: Path, *, many: bool) -> str | None:
    return f"{key}/{file.name}" if key and many else key


def _issue(
    issuing: Issuing,
    file: Path,
    out: Path,
    spoken: Language,
    *,
    manufacturer: str,
    preparer: str,
    approver: str,
    key: str | None,
    supersedes: Number | None = None,
) -> bool:
    try:
        draft = drafting.parse_draft(read(file))
        if supersedes is not None:
            draft = draft.model_copy(update={"supersedes": str(supersedes)})
        order = Order(
            draft=draft, manufacturer=manufacturer, preparer=preparer, approver=approver, origin="cli", key=key
        )
        _deliver(file, issuing.issue(order), out, spoken)
    except SignerError as error:
        complain(str(file), error, spoken)
        return False
    return True


def _deliver(file: Path, issued: Issued, out: Path, spoken: Language) -> None:
    for finding in issued.findings:
        tell(finding, spoken)
    path = out / f"{issued.number}.pdf"
    try:
        write(path, issued.pdf)
    except StorageUnavailable as error:
        error.add_note(f"{issued.number} IS issued: get it by `signer fetch {issued.number} --out FOLDER`")
        raise
    click.echo(f"{file}: {issued.number} {'(again) ' if issued.is_replay else ''}-> {path}")


@click.command()
@click.argument("number")
@OUT
@click.option("--archive", is_flag=True, help="The archive copy (B-LTA), instead of the file that exporters have.")
def fetch(number: str, out: Path, *, archive: bool) -> None:
    """Write an issued confirmation's PDF again, and say which level its seal has reached."""
    parsed = number_of(number)
    refuse_unwritable(out)
    path = out / f"{parsed}{'-archive' if archive else ''}.pdf"
    house = services()
    write(path, house.upgrading.fetch(parsed) if archive else house.issuing.fetch(parsed))
    click.echo(str(path))
    click.echo(f"PAdES {house.upgrading.level(parsed, archived=archive)}", err=True)
