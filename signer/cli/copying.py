"""`signer copies`: the print form, and the officially sealed files that are kept beside the record."""

from __future__ import annotations

from pathlib import Path

import click

from signer.cli.console import MANUFACTURER
from signer.cli.house import number_of, services, write
from signer.errors import NotFound
from signer.seal.precheck import MOST_BYTES
from signer.services.official import Place, digest_of

_NUMBER = click.argument("number")
_SHA256 = click.argument("sha256")
_OUT = click.option("-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file.")


@click.group()
def copies() -> None:
    """Keep official copies: what the manufacturer sealed in its own system, filed by two people under its number."""


@copies.command("print-form")
@_NUMBER
@MANUFACTURER
@_OUT
def print_form(number: str, manufacturer: str, out: Path) -> None:
    """Write the PDF that is sealed in the manufacturer's own system, or printed and chopped. It carries no seal."""
    write(out, services().copying.print_form(number_of(number), manufacturer=manufacturer))
    click.echo(str(out))


@copies.command("file")
@_NUMBER
@click.argument("file", type=click.Path(path_type=Path))
@MANUFACTURER
@click.option("--by", required=True, help="The person who hands it in (id).")
def file_(number: str, file: Path, manufacturer: str, by: str) -> None:
    """Hand in FILE (PDF, OFD, PNG, JPEG), the officially sealed copy of NUMBER; it counts once it was compared."""
    place = Place(number=number_of(number), manufacturer=manufacturer, by=by)
    digest = services().copying.offer(place, _read(file)).hex()
    click.echo(f"{place.number}: {digest} waits for another person: `signer copies compare {place.number} {digest}`")


@copies.command()
@_NUMBER
@_SHA256
@MANUFACTURER
@_OUT
def fetch(number: str, sha256: str, manufacturer: str, out: Path) -> None:
    """Write a copy that was handed in, to be looked at."""
    write(out, services().copying.fetch(number_of(number), digest_of(sha256), manufacturer=manufacturer))
    click.echo(str(out))


@copies.command()
@_NUMBER
@_SHA256
@MANUFACTURER
@click.option("--by", required=True, help="Another person, an approver, who compared it (id).")
def compare(number: str, sha256: str, manufacturer: str, by: str) -> None:
    """State that you compared every page of a copy with the record of NUMBER and found it the same: it is filed."""
    place = Place(number=number_of(number), manufacturer=manufacturer, by=by)
    services().copying.compare(place, digest_of(sha256))
    click.echo(f"{place.number}: filed; whoever verifies this file gets OFFICIAL_COPY and the record")


@copies.command()
@_NUMBER
@_SHA256
@MANUFACTURER
@click.option("--by", required=True, help="The person who asks (id).")
@click.option("--second", required=True, help="Another person, an approver, who agrees (id).")
def retract(number: str, sha256: str, manufacturer: str, by: str, second: str) -> None:
    """Let a copy count no longer, as one filed by mistake. It stays in the register."""
    place = Place(number=number_of(number), manufacturer=manufacturer, by=by)
    services().copying.retract(place, digest_of(sha256), second=second)
    click.echo(f"{place.number}: retracted")


@copies.command("list")
@_NUMBER
@MANUFACTURER
def list_(number: str, manufacturer: str) -> None:
    """List the copies of NUMBER: SHA-256, kind, size, state, and who said so."""
    for copy in services().copying.all(number_of(number), manufacturer=manufacturer):
        state = "retracted" if copy.retracted_at else "filed" if copy.is_filed else "waiting"
        people = ", ".join(filter(None, (copy.offered_by, copy.compared_by)))
        click.echo(f"{copy.file_digest.hex()} {copy.kind} {copy.size} {state} ({people})")


def _read(path: Path) -> bytes:
    """Read a file; one byte over the cap is enough to be refused for it."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error
