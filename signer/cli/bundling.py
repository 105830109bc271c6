"""`signer bundle` and `signer import-bundle`: what a register says, carried to verifiers that cannot ask it."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer import logs, settings, wiring
from signer.cli.house import services
from signer.domain.bundle import LASTS_DAYS
from signer.domain.values import parse_instant
from signer.errors import InvalidInput
from signer.outbound import OPERATORS, Client
from signer.seal import trust
from signer.services.fetching import Fetching

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.bundle import Header
    from signer.seal.trust import RootKey
    from signer.services.fetching import Fetched
    from signer.services.shelf import Shelf
    from signer.settings import Settings

ROOTS = click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A pinned root (PEM); may be repeated. Default: SIGNER_TRUST_ROOT.",
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--since", default=None, metavar="T", help="Only what changed since, e.g. 2026-11-22T03:00:00Z: a delta.")
@click.option("--days", default=LASTS_DAYS, show_default=True, help="Until it expires; at most 30.")
def bundle(file: Path, since: str | None, days: int) -> None:
    """Write an offline bundle into FILE: what the register says now, for verifiers that cannot ask it."""
    made = services().bundling.make(file, since=_instant(since) if since else None, lasts=timedelta(days=days))
    click.echo(f"{file}: {_told(made.header)}, {made.size} bytes")


@click.command("import-bundle")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@ROOTS
def import_bundle(files: tuple[Path, ...], roots: tuple[Path, ...]) -> None:
    """Import bundles and deltas, in this order, for `signer serve --verify-only` and `signer verify --offline`."""
    chosen = settings.load()
    logs.configure(chosen.log_level)
    take_all(wiring.wire_offline(chosen).shelf, files, pinned=read_roots(chosen, roots), tell=True)


@click.command("import-status")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def import_status(files: tuple[Path, ...]) -> None:
    """Import status lists that were fetched by themselves, each newer than the one that is kept."""
    chosen = settings.load()
    logs.configure(chosen.log_level)
    shelf = wiring.wire_offline(chosen).shelf
    for file in files:
        try:
            found = shelf.take_status_list(file.read_bytes())
        except OSError as error:
            raise InvalidInput(str(file), f"cannot be read: {error.strerror}") from error
        click.echo(f"{file}: {found.list.uri}, as of {found.list.at:%Y-%m-%dT%H:%M:%SZ}, {len(found.list)} places")


@click.command("fetch-status")
def fetch_status() -> None:
    """Fetch the status lists of every issuer whose bundle is here; exit 1 if one was not to be had."""
    chosen = settings.load()
    logs.configure(chosen.log_level)
    fetching = Fetching(shelf=wiring.wire_offline(chosen).shelf, client=Client(OPERATORS))
    sys.exit(1 if fetching.status_lists(_tell_fetched) else 0)


def _tell_fetched(found: Fetched) -> None:
    if found.kept is None:
        click.echo(f"{found.uri}: {found.refused}", err=True)
    else:
        click.echo(f"{found.uri}: as of {found.kept.list.at:%Y-%m-%dT%H:%M:%SZ}")


def take_all(shelf: Shelf, files: tuple[Path, ...], *, pinned: tuple[RootKey, ...], tell: bool) -> None:
    """Import files, in their order. Raises InvalidInput, StorageUnavailable."""
    for file in files:
        try:
            with file.open("rb") as source:
                taken = shelf.take(source, pinned=pinned)
        except OSError as error:
            raise InvalidInput(str(file), f"cannot be read: {error.strerror}") from error
        if tell:
            click.echo(f"{file}: {_told(taken.header)}")


def read_roots(chosen: Settings, roots: tuple[Path, ...]) -> tuple[RootKey, ...]:
    """Return the pinned roots: those named, else the deployment's, if any. Raises InvalidInput, Misconfigured."""
    default = (chosen.trust_root_path,) if chosen.trust_root_path.exists() else ()
    try:
        return tuple(trust.read_root(path.read_bytes()) for path in roots or default)
    except OSError as error:
        raise InvalidInput(f"{error.filename}", f"cannot be read: {error.strerror}") from error


def _told(header: Header) -> str:
    kind = f"a delta since {header.since:%Y-%m-%dT%H:%M:%SZ}" if header.since else "a whole bundle"
    test = "TEST, " if header.test else ""
    return (
        f"{header.origin}: {test}{kind}, complete until {header.complete_until:%Y-%m-%dT%H:%M:%SZ}, "
        f"expires {header.expires:%Y-%m-%dT%H:%M:%SZ}, {header.counts.records} records"
    )


def _instant(typed: str) -> datetime:
    try:
        return parse_instant(typed)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error
