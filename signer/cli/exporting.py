"""`signer export` and `signer redact`: what others must see of the register, and what it must forget."""

from __future__ import annotations

import click

from signer.cli.console import MANUFACTURER
from signer.cli.house import services
from signer.services.export import FORMS, WHATS, Form, What


@click.command()
@click.argument("what", type=click.Choice(WHATS))
@MANUFACTURER
@click.option("--format", "form", type=click.Choice(FORMS), default="csv", show_default=True, help="The form.")
def export(what: What, manufacturer: str, form: Form) -> None:
    """Write the seal register (用印登记) or the audit of one manufacturer to standard output, the oldest first."""
    click.echo(services().exporting.text(what, form, manufacturer=manufacturer), nl=False)


@click.command()
@click.argument("what", type=click.Choice(["person", "outlet"]))
@click.argument("id_")
@click.option("--as", "manufacturer", default="", help="The outlet's manufacturer: USCC or legal name.")
@click.option("--by", required=True, help="The person who does this (id).")
def redact(what: str, id_: str, manufacturer: str, by: str) -> None:
    """Forget a person's name and roles, or an outlet's telephone, e-mail and hours. What was sealed never changes."""
    redacting = services().redacting
    if what == "person":
        redacting.person(id_, by=by)
    else:
        redacting.outlet(manufacturer, id_, by=by)
    click.echo(f"{what} {id_}: redacted")
