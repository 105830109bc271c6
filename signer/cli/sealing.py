"""`signer seals` and `signer manufacturer`: what those do who keep a manufacturer's seals and its name."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import click

from signer.cli.console import MANUFACTURER
from signer.cli.house import services
from signer.domain.values import format_instant
from signer.services.renaming import Renaming
from signer.services.seals import Keeping

if TYPE_CHECKING:
    from signer.services.seals import Shown

_SEAL = click.argument("seal")
_BY = click.option("--by", required=True, help="Who does this: an admin or operator of the manufacturer (id).")
_SECOND = click.option("--second", required=True, help="Another such person, who agrees (id).")
_KEY = click.option("--key", "key_ref", required=True, help="Where the key is: a file's name in the folder of keys.")


@click.group()
def seals() -> None:
    """Keep seals. SEAL is a certificate's SHA-256, its first 8 digits or more."""


@seals.command("list")
@click.option("--as", "manufacturer", default=None, help="Only this manufacturer's: USCC or legal name.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(manufacturer: str | None, as_json: bool) -> None:
    """List the seals: state, days left, uses this month, and what needs to be seen to."""
    for shown in services().seal_keeping.all(manufacturer):
        click.echo(json.dumps(_plain(shown), ensure_ascii=False) if as_json else _line(shown))


@seals.command()
@_SEAL
@MANUFACTURER
@_KEY
@_BY
@click.option("--second", default=None, help="A second operator: a pinned or OFFICIAL seal needs one.")
def add(seal: str, manufacturer: str, key_ref: str, by: str, second: str | None) -> None:
    """Enrol SEAL, which the trust list names for the manufacturer, with its key."""
    asked = Keeping(manufacturer=manufacturer, by=by, second=second)
    click.echo(f"{services().seal_keeping.add(seal, key_ref=key_ref, asked=asked)[:16]}: enrolled, active")


@seals.command()
@_SEAL
@click.argument("times", type=click.IntRange(min=0))
@MANUFACTURER
@_BY
def limit(seal: str, times: int, manufacturer: str, by: str) -> None:
    """Let SEAL be used at most TIMES in a calendar month (Beijing); 0 lifts the limit. An alarm comes at 80 %."""
    asked = Keeping(manufacturer=manufacturer, by=by)
    digest = services().seal_keeping.limit(seal, times or None, asked=asked)
    click.echo(f"{digest[:16]}: {f'at most {times} uses a month' if times else 'no limit'}")


@seals.command()
@_SEAL
@click.argument("new")
@MANUFACTURER
@_KEY
@_BY
@_SECOND
def rotate(seal: str, new: str, manufacturer: str, key_ref: str, by: str, second: str) -> None:
    """Put NEW, a certificate on the trust list, in the place of SEAL, which is verify-only from then on."""
    asked = Keeping(manufacturer=manufacturer, by=by, second=second)
    old, made = services().seal_keeping.rotate(seal, new, key_ref=key_ref, asked=asked)
    click.echo(f"{made[:16]}: active; {old[:16]}: verify-only. Publish a trust list that says so too")


@seals.command()
@_SEAL
@MANUFACTURER
@_BY
@_SECOND
def retire(seal: str, manufacturer: str, by: str, second: str) -> None:
    """Make SEAL verify-only for ever: it seals nothing more, what it sealed stays valid."""
    asked = Keeping(manufacturer=manufacturer, by=by, second=second)
    click.echo(f"{services().seal_keeping.retire(seal, asked=asked)[:16]}: verify-only")


@click.group()
def manufacturer() -> None:
    """Keep what is on record of a manufacturer."""


@manufacturer.command()
@MANUFACTURER
@click.option("--to", "name", required=True, help="The legal name from now on, as in the MIIT announcement.")
@click.option("--to-en", "name_en", default=None, help="The English name from now on.")
@click.option("--until", required=True, metavar="DATE", help="The last day of the former name.")
@click.option("--evidence", required=True, help="What proves the change, in words.")
@click.option("--announcement", required=True, help="The entry of the MIIT announcement with the new name.")
@_BY
@_SECOND
def rename(
    manufacturer: str,
    name: str,
    name_en: str | None,
    until: str,
    evidence: str,
    announcement: str,
    by: str,
    second: str,
) -> None:
    """Rename a company. Its seals are frozen: what they sealed stays valid, a seal in the new name must be added."""
    try:
        last_day = date.fromisoformat(until)
    except ValueError as error:
        raise click.BadParameter("a date is written YYYY-MM-DD", param_hint="--until") from error
    renaming = Renaming(
        legal_name=name, legal_name_en=name_en, until=last_day, evidence=evidence, announcement=announcement
    )
    asked = Keeping(manufacturer=manufacturer, by=by, second=second)
    record, frozen = services().seal_keeping.rename(renaming, asked=asked)
    click.echo(f"{record.uscc}: {record.legal_name}, until {last_day} {record.former_names[-1].legal_name}")
    for digest in frozen:
        click.echo(f"  {digest[:16]}: verify-only")


def _line(shown: Shown) -> str:
    kept = shown.kept
    uses = f"{kept.used} of {kept.monthly_limit}" if kept.monthly_limit else f"{kept.used}"
    left = "" if shown.days_left is None else f", {shown.days_left} days left"
    warnings = "".join(f" [{warning}]" for warning in shown.warnings)
    named = f"{kept.certificate_digest[:16]} {kept.seal_class} {shown.state} {shown.legal_name}"
    return f"{named}: {uses} uses this month{left}{warnings}"


def _plain(shown: Shown) -> dict[str, object]:
    kept = shown.kept
    return {
        "certificate_digest": kept.certificate_digest,
        "manufacturer": shown.legal_name,
        "seal_class": kept.seal_class,
        "naming_profile": shown.naming_profile,
        "state": shown.state,
        "state_since": format_instant(kept.state_since),
        "not_after": format_instant(shown.not_after) if shown.not_after else None,
        "days_left": shown.days_left,
        "used_this_month": kept.used,
        "monthly_limit": kept.monthly_limit,
        "warnings": list(shown.warnings),
    }
