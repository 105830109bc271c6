"""`signer withdraw`, `suspend`, `resume` and `abandon`: what ends a confirmation, or holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from signer.cli.console import MANUFACTURER
from signer.cli.house import number_of, services
from signer.errors import InvalidInput
from signer.register.endings import REASONS
from signer.services.withdraw import Abandonment, Withdrawal

if TYPE_CHECKING:
    from datetime import datetime

_BY = click.option("--by", required=True, help="The person who asks (id).")


@click.command()
@click.argument("number")
@MANUFACTURER
@_BY
@click.option("--second", required=True, help="Another person, an approver, who agrees (id).")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="Why; shown to whoever verifies.")
@click.option("--vin", "vins", multiple=True, help="Only this vehicle; may be repeated. Default: all in force.")
def withdraw(number: str, manufacturer: str, by: str, second: str, reason: str, vins: tuple[str, ...]) -> None:
    """Withdraw NUMBER for ever, wholly or for some vehicles. The history stays."""
    wanted = Withdrawal(
        number=number_of(number), manufacturer=manufacturer, by=by, second=second, reason=reason, vins=vins
    )
    ended = services().ending.withdraw(wanted)
    click.echo(f"{wanted.number}: withdrawn ({reason}) for {' '.join(ended)}")


@click.command()
@click.argument("number", required=False)
@click.option("--seal", default=None, help="Suspend a seal instead: its certificate's SHA-256, 8 digits or more.")
@MANUFACTURER
@_BY
def suspend(number: str | None, seal: str | None, manufacturer: str, by: str) -> None:
    """Hold NUMBER, or a seal, at once for 72 h. Said by a second person, it is held until it is resumed."""
    ending = services().ending
    if (number is None) == (seal is None):
        raise click.UsageError("give either NUMBER or --seal")
    if seal is not None:
        held = ending.suspend_seal(seal, manufacturer=manufacturer, by=by)
        click.echo(f"the seal is suspended {_until(held)}")
        return
    if number is None:
        raise InvalidInput("NUMBER", "is missing")
    parsed = number_of(number)
    ends = ending.suspend(parsed, manufacturer=manufacturer, by=by)
    click.echo(f"{parsed}: suspended {_until(ends)}")


def _until(ends: datetime | None) -> str:
    return f"until {ends:%Y-%m-%dT%H:%M:%SZ}" if ends else "until it is resumed"


@click.command()
@click.argument("number", required=False)
@click.option("--seal", default=None, help="Resume a seal instead: its certificate's SHA-256, 8 digits or more.")
@MANUFACTURER
@_BY
def resume(number: str | None, seal: str | None, manufacturer: str, by: str) -> None:
    """End a suspension of NUMBER, or of a seal; an approver does."""
    ending = services().ending
    if seal is not None and number is None:
        ending.lift_seal(seal, manufacturer=manufacturer, by=by)
        click.echo("the seal is active again")
    elif number is not None and seal is None:
        parsed = number_of(number)
        ending.lift(parsed, manufacturer=manufacturer, by=by)
        click.echo(f"{parsed}: in force again")
    else:
        raise click.UsageError("give either NUMBER or --seal")


@click.command()
@click.argument("number")
@MANUFACTURER
@_BY
@click.option("--second", default=None, help="Another person, an approver; needed after a restore.")
@click.option("--reason", required=True, help="Why, in 10 to 200 characters.")
def abandon(number: str, manufacturer: str, by: str, second: str | None, reason: str) -> None:
    """Give up NUMBER, whose sealing never completed: its vehicles are free again. It is never used."""
    wanted = Abandonment(number=number_of(number), manufacturer=manufacturer, by=by, second=second, reason=reason)
    services().ending.abandon(wanted)
    click.echo(f"{wanted.number}: abandoned")
