"""`signer db backup`, `restore`, `release`, `reimport` and `scrub`: so that the register is not lost."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from signer import logs, settings, wiring
from signer.cli.console import FILES, REFUSED, complain, language, services
from signer.errors import NotFound, SignerError
from signer.seal.precheck import MOST_BYTES

_FILE = click.argument("file", type=click.Path(path_type=Path))
_BY = click.option("--by", required=True, help="The person who does this (id).")


@click.command()
@_FILE
def backup(file: Path) -> None:
    """Write register and sealed files, as of one moment, into FILE, while the service runs. Keys are not in it."""
    manifest = services().keeping.backup(file)
    sealed = sum(1 for name in manifest.members if name.startswith("blobs/"))
    click.echo(f"{file}: the register of {manifest.backup_at:%Y-%m-%dT%H:%M:%SZ} and {sealed} sealed files")
    for digest in manifest.missing:
        click.echo(f"  missing or damaged, not in the backup: {digest}", err=True)
    sys.exit(REFUSED if manifest.missing else 0)


@click.command()
@_FILE
def restore(file: Path) -> None:
    """Fill an empty deployment from a backup. Nothing is issued then before `signer db release`."""
    chosen = settings.load()
    logs.configure(chosen.log_level)
    chosen.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest = wiring.wire(chosen).keeping.restore(file, actor="cli")
    since = f"{manifest.backup_at:%Y-%m-%dT%H:%M:%SZ}"
    click.echo(f"restored as of {since}; what was issued since is unknown: `signer db reimport`, then `release`")


@click.command()
@_BY
def release(by: str) -> None:
    """Let a restored register issue again, once what was issued since the backup is imported."""
    wired = services()
    wired.keeping.release(by=by)
    click.echo("released: the register issues again")
    for number in wired.maintaining.pending_since_before_a_restore():
        click.echo(f"  {number}: pending in the backup; perhaps issued since, so it is kept", err=True)


@click.command()
@FILES
@_BY
@click.option("--second", required=True, help="Another person, who agrees (id).")
def reimport(files: tuple[Path, ...], by: str, second: str) -> None:
    """Bring FILES that their holders kept back into a restored register that lost them; the oldest first."""
    wired, failed = services(), False
    for file in files:
        try:
            click.echo(f"{file}: {wired.reimporting.file(_read(file), by=by, second=second)}")
        except SignerError as error:
            failed = True
            complain(str(file), error, language(None))
    sys.exit(REFUSED if failed else 0)


@click.command()
def scrub() -> None:
    """Read every sealed file, compare its digest, and name what is damaged, missing or without a record."""
    found = services().keeping.scrub()
    click.echo(f"{found.sound} sound, {len(found.damaged)} damaged, {len(found.missing)} missing")
    for word, names in (("damaged", found.damaged), ("missing", found.missing), ("without a record", found.orphans)):
        for name in names:
            click.echo(f"  {word}: {name}")
    sys.exit(REFUSED if found.damaged or found.missing else 0)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}") from error
