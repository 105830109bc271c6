"""`signer log`: see the head of the transparency log, append to it, bring in what it lacks, go on after a restore."""

from __future__ import annotations

from pathlib import Path

import click

from signer.cli.house import read_whole, services
from signer.services.resuming import leaves_of
from signer.transparency.tiles import MOST_ENTRY_BYTES, WIDTH

MOST_TILE_BYTES = WIDTH * (2 + MOST_ENTRY_BYTES)


@click.group()
def log() -> None:
    """Keep the transparency log, prove what is in it, watch one from outside."""


@log.command()
def head() -> None:
    """Write the published head: a signed note."""
    click.echo(services().logbook.checkpoint(), nl=False)


@log.command()
def append() -> None:
    """Append what waits, now: a worker does so every second."""
    click.echo(f"{services().sequencing.drain()} leaves appended")


@log.command()
def backfill() -> None:
    """Bring in what was issued before there was a log. It may be cut off, and run again."""
    wired = services()
    done = wired.backfilling.run(lambda told: click.echo(told, err=True))
    click.echo(f"{done} confirmations brought in")


@log.command()
@click.option("--head", "typed", required=True, metavar="'SIZE ROOT'", help="Lines two and three of the highest head.")
@click.option(
    "--leaves",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What the register lost: files of tile/entries from a copy of the log, in order. May be repeated.",
)
@click.option("--by", required=True, help="The person who does this (id).")
def resume(typed: str, files: tuple[Path, ...], by: str) -> None:
    """Go on with the log of a restored register, from the head that you type: the highest that anybody has seen."""
    leaves = [leaf for file in files for leaf in leaves_of(read_whole(file, most=MOST_TILE_BYTES))]
    back = services().resuming.resume(typed, by=by, leaves=leaves)
    click.echo(f"{back} leaves came back; the log goes on")
