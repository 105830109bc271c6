"""`signer evidence`: one confirmation with all that it takes to check it without us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from signer.cli.console import MANUFACTURER, OUT
from signer.cli.house import number_of, refuse_unwritable, services, write

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("number")
@MANUFACTURER
@OUT
def evidence(number: str, manufacturer: str, out: Path) -> None:
    """
    Write NUMBER-evidence.zip: the sealed PDF, its content, the trust list, a receipt made now, and how to check each.

    The same confirmation under the same trust list gives the same bytes but for the receipt.
    """
    parsed = number_of(number)
    refuse_unwritable(out)
    path = out / f"{parsed}-evidence.zip"
    write(path, services().evidence.bundle(parsed, manufacturer=manufacturer))
    click.echo(str(path))
