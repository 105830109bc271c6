"""`signer keys`: whether the keys of seals, of codes on paper and of the service can be used; new ones for paper."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from signer.cli.console import REFUSED
from signer.cli.house import services

if TYPE_CHECKING:
    from signer.services.key_checks import CheckedKey

_WIDTHS = (10, 9)


@click.group()
def keys() -> None:
    """Look after the keys of seals, of codes on paper and of the service."""


@keys.command()
@click.argument("name", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def check(name: str, as_json: bool) -> None:
    """
    Open every key, of seals, paper and the service, try it, and name the exact fault and the next step; or only NAME's.

    NAME is a key's file, the first 8 or more digits of a certificate's SHA-256, a manufacturer, or `receipt` or
    `bundle`. The trial signature seals nothing. Exit 0 if every key can be used, 1 otherwise.
    """
    checked = services().key_checks.check(name)
    for one in checked:
        click.echo(json.dumps(asdict(one), ensure_ascii=False) if as_json else _table(one))
    if not name and not any(one.is_seal for one in checked):
        click.echo("no manufacturer has a seal", err=True)
    sys.exit(0 if all(one.is_fit for one in checked) else REFUSED)


@keys.command()
@click.argument("manufacturer")
@click.option("--year", type=click.IntRange(2020, 2999), default=None, help="Of which year; this one if none is named.")
def paper(manufacturer: str, year: int | None) -> None:
    """
    Make MANUFACTURER's key of a year for codes on paper (USCC or legal name), and print what the trust list must add.

    The file of changes is for `signer trust draft`, in the folder of keys. Until the list is published the key does
    not count. It ends a fortnight after its year; the year before keeps its own.
    """
    name, entry = services().paper.make_key(manufacturer, year)
    click.echo(f"{name}: made", err=True)
    click.echo(json.dumps({"schema": "signer.trust-changes/1", "add": [entry]}, ensure_ascii=False))


def _table(one: CheckedKey) -> str:
    known = f" ({one.certificate_digest[:16]}, {one.state})" if one.certificate_digest else ""
    head = f"{one.key_ref}{known} {one.legal_name}"
    rows = (f"  {found.health:{_WIDTHS[1]}}{found.part:{_WIDTHS[0]}}{found.detail}" for found in one.found)
    return "\n".join((head, *rows))
