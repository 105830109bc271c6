"""`signer trust`: the list of whose seals count, drafted here, signed on a machine without a network, published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer import settings, wiring
from signer.cli.house import read, services, write
from signer.domain.values import format_instant
from signer.errors import NotFound, TrustListStale
from signer.seal.trust import MOST_BYTES
from signer.services import publishing

if TYPE_CHECKING:
    from signer.domain.trust import TrustList
    from signer.services.publishing import Publishing, Step

_OUT = click.option("-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file.")
_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def trust() -> None:
    """Keep the trust list: draft it, sign it offline, check it, put it in place."""


@trust.command()
@click.argument("changes", type=click.Path(path_type=Path, dir_okay=False))
@_OUT
def draft(changes: Path, out: Path) -> None:
    """Write the next list, unsigned: the present one with the CHANGES (a JSON file; certificates lie beside it)."""
    step = _publishing().draft(read(changes), changes.parent)
    write(out, step.data)
    _tell(step)
    click.echo(f"{out}: take it to the root's key, and there `signer trust sign`")


@trust.command()
@click.argument("draft_file", metavar="DRAFT", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", required=True, type=click.Path(path_type=Path), help="The root's key (encrypted PKCS #8, PEM).")
@click.option("--password-file", required=True, type=click.Path(path_type=Path), help="The file with its password.")
@click.option("--previous", type=click.Path(path_type=Path), help="The signed list before it: tells what is changed.")
@_OUT
def sign(draft_file: Path, key: Path, password_file: Path, previous: Path | None, out: Path) -> None:
    """Sign DRAFT with the root's key. Needs no register, no settings and no network: do it on a machine without one."""
    step = publishing.sign_offline(
        _read(draft_file),
        key=_read(key),
        password=_read(password_file).strip(),
        previous=_read(previous) if previous else None,
    )
    write(out, step.data)
    _tell(step)
    click.echo(f"{out}: take it back, and there `signer trust publish`")


@trust.command()
@_FILE
@click.option("--by", required=True, help="The operator who publishes (id).")
@click.option("--second", default=None, help="A second operator: a new seal that is pinned or OFFICIAL needs one.")
def publish(file: Path, by: str, second: str | None) -> None:
    """Check FILE, a signed list, and put it in the place of the one in use, whole or not at all."""
    step = services().publishing.publish(_read(file), by=by, second=second)
    _tell(step)
    click.echo(f"list {step.trust.sequence} is in use until {format_instant(step.trust.expires)}")


@trust.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(as_json: bool) -> None:
    """Show the list in use: who is on it, in which state, and how long it lasts."""
    kept = _publishing()
    found, left = kept.present(), kept.days_left()
    if as_json:
        plain = found.model_dump(mode="json", exclude_none=True)
        click.echo(json.dumps({**plain, "days_left": left}, ensure_ascii=False))
        return
    click.echo(_headline(found, left))
    for entry in found.entries:
        claims = " ".join(filter(None, (entry.seal_class, entry.naming_profile)))
        ends = f" until {format_instant(entry.until_at)}" if entry.until_at else ""
        click.echo(
            f"  {entry.certificate_digest[:16]} {entry.purpose:8} {entry.state:11} {entry.legal_name} {claims}{ends}"
        )


@trust.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--history", is_flag=True, help="Follow the lists that were kept, back to the oldest.")
def check(file: Path | None, history: bool) -> None:
    """Say whether FILE may be published, or, without FILE, whether the list in use is sound; else the exact fault."""
    kept = _publishing()
    if file is not None:
        _tell(kept.check(_read(file)))
        click.echo(f"{file}: may be published")
        return
    found, left = kept.present(), kept.days_left()
    click.echo(_headline(found, left))
    if history:
        for older, digest in kept.history():
            click.echo(f"  list {older.sequence}: {digest}, issued {format_instant(older.issued)}")
    if left < 0:
        raise TrustListStale(f"expired at {format_instant(found.expires)}: publish a new one")


def _publishing() -> Publishing:
    """Wire what drafting and checking need; neither asks the register."""
    return wiring.wire(settings.load()).publishing


def _headline(found: TrustList, left: int) -> str:
    kind = "TEST list" if found.test else "list"
    more = "; the next root is announced" if found.next_root else ""
    return f"{kind} {found.sequence} ({found.origin}), {len(found.entries)} entries, {left} days left{more}"


def _tell(step: Step) -> None:
    found = step.trust
    kind = "TEST list" if found.test else "list"
    click.echo(f"{kind} {found.sequence}, {format_instant(found.issued)} to {format_instant(found.expires)}")
    for line in step.changes or ("nothing is changed but the dates",):
        click.echo(f"  {line}")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error
