"""`signer people`: the first operator, and in TEST mode members with roles. Nobody types a password here."""

from __future__ import annotations

import click

from signer.cli.house import services
from signer.domain.parties import Role
from signer.errors import NotPermitted
from signer.services.invitations import Invited
from signer.services.mailing import LANGUAGES

_LOGIN = click.argument("login")


@click.group()
def people() -> None:
    """Make the first accounts, list, suspend and reset them."""


@people.command()
@_LOGIN
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]))
@click.option("--as", "manufacturer", default=None, help="A manufacturer (USCC or legal name): in TEST mode only.")
@click.option("--language", default="zh", type=click.Choice(LANGUAGES), help="The language of the mail.")
def create(login: str, name: str, roles: tuple[str, ...], manufacturer: str | None, language: str) -> None:
    """
    Invite LOGIN (an e-mail address), by mail and by a link that is printed.

    It is good once: there the person chooses a password.
    """
    wired = services()
    if manufacturer is not None and wired.settings.mode != "test":
        raise NotPermitted("outside TEST mode a manufacturer's people are invited in the portal")
    maker = None if manufacturer is None else wired.people.uscc_of(manufacturer)
    invited = Invited(login=login, name=name, roles=frozenset(map(Role, roles)), language=language)
    token = wired.inviting.appoint(invited, maker=maker, actor="cli")
    click.echo(f"{wired.settings.base_url.rstrip('/')}/invitations/{token}")


@people.command("list")
def list_() -> None:
    """List every account: login, state, second factors, roles."""
    wired = services()
    for one in wired.members.everybody():
        factor = "with a second factor" if one.has_factor else "no second factor"
        click.echo(f"{one.login}  {one.person}  {one.state}, {factor}  {' '.join(one.roles) or '-'}")


@people.command()
@_LOGIN
@click.option("--lift", is_flag=True, help="Let the account be used again.")
def suspend(login: str, lift: bool) -> None:
    """Suspend the account of LOGIN: its sessions end at once."""
    services().members.suspend(login, lift=lift, actor="cli")
    click.echo(f"{login}: {'active' if lift else 'suspended'}")


@people.command()
@_LOGIN
@click.option("--approved-by", default="", help="For an approver: another approver of the same manufacturer (id).")
def reset(login: str, approved_by: str) -> None:
    """Take all second factors of LOGIN and end the sessions: a new one is set up at the next sign-in."""
    services().members.reset_by_operator(login, approved_by=approved_by, actor="cli")
    click.echo(f"{login}: the second factor is gone, the sessions are ended")
