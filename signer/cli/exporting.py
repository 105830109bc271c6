"""`signer export`: the seal register and the audit of one manufacturer, for those who must look through them."""

from __future__ import annotations

import click

from signer.cli.console import MANUFACTURER, services
from signer.services.export import FORMS, WHATS, Form, What


@click.command()
@click.argument("what", type=click.Choice(WHATS))
@MANUFACTURER
@click.option("--format", "form", type=click.Choice(FORMS), default="csv", show_default=True, help="The form.")
def export(what: What, manufacturer: str, form: Form) -> None:
    """Write the seal register (用印登记) or the audit of one manufacturer to standard output, the oldest first."""
    click.echo(services().exporting.text(what, form, manufacturer=manufacturer), nl=False)
