"""`signer db backup`, `restore`, `release`, `reimport`, `close-gap`, `scrub`: so that the register is not lost."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from signer import jobs as waking
from signer import logs, settings, wiring
from signer.cli.console import FILES, REFUSED, complain, language
from signer.cli.house import services
from signer.errors import NotFound, SignerError
from signer.register.restores import Closing
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
    restored = wiring.wire(chosen).keeping.restore(file, actor="cli")
    since = f"{restored.manifest.backup_at:%Y-%m-%dT%H:%M:%SZ}"
    click.echo(f"restored as of {since}; what was issued since is unknown: `signer db reimport`, then `release`")
    for name in (*restored.held, *restored.held_seals):
        click.echo(f"  {name}: held, because the journal says that it was ended or suspended since the backup")
    if restored.damaged:
        click.echo(f"  {restored.damaged} lines of the journal are damaged, or do not follow each other", err=True)


@click.command()
@_BY
def release(by: str) -> None:
    """Let a restored register issue again, once what was issued since the backup is imported."""
    wired = services()
    wired.keeping.release(by=by)
    waking.wake(wired)
    click.echo("released: the register issues again; every sealed file is read once now (`signer jobs list`)")
    for number in wired.maintaining.pending_since_before_a_restore():
        click.echo(
            f"  {number}: pending in the backup; perhaps issued since: `signer db reimport` or `signer abandon`",
            err=True,
        )


@click.command("close-gap")
@_BY
@click.option("--second", required=True, help="Another person, who agrees (id).")
@click.option("--reason", required=True, help="How it is known that nothing is missing, in 10 to 200 characters.")
def close_gap(by: str, second: str, reason: str) -> None:
    """Declare that all that was issued or ended in a restore's gap is back: the register's silence counts again."""
    count = services().keeping.close_gaps(Closing(by=by, second=second, reason=reason))
    click.echo(f"{count} closed: what the register does not hold is not on record again")


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
