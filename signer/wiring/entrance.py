"""Who comes in, and by what: accounts, factors, sessions, invitations, an OpenID provider."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from signer.errors import Misconfigured
from signer.identity.oidc import Provider
from signer.identity.passkeys import Site
from signer.identity.passwords import Passwords
from signer.identity.vault import open_vault
from signer.services.accounts import Accounts
from signer.services.elsewhere import Elsewhere
from signer.services.exporters import Exporters
from signer.services.invitations import Inviting
from signer.services.limits import Limits
from signer.services.members import Members
from signer.services.own_account import OwnAccount
from signer.services.sessions import Sessions
from signer.services.sign_in import SigningIn

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.identity.vault import Vault
    from signer.register.database import Database
    from signer.services.engines import Chance
    from signer.services.mailing import Mailing
    from signer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """The use cases of who comes in, and by what."""

    sessions: Sessions
    accounts: Accounts
    signing_in: SigningIn
    own_account: OwnAccount
    inviting: Inviting
    members: Members
    elsewhere: Elsewhere
    exporters: Exporters
    vault: Callable[[], Vault]


def wire(
    settings: Settings, *, database: Database, mailing: Mailing, clock: Callable[[], datetime], chance: Chance
) -> Entrance:
    """Put together who comes in, and by what; the web pages' secret is opened when a factor first needs it."""
    passwords, site, bits = Passwords(), Site.of(settings.base_url), chance.bits
    sessions, limits = Sessions(database=database, clock=clock, bits=bits), Limits(database=database, clock=clock)

    @cache
    def vault() -> Vault:
        return open_vault(settings.secret_path)

    known = Accounts(
        database=database, sessions=sessions, limits=limits, vault=vault, site=site, clock=clock, bits=bits
    )
    signing_in = SigningIn(
        database=database,
        known=known,
        begun=sessions,
        limits=limits,
        passwords=passwords,
        clock=clock,
        bits=bits,
    )
    inviting = Inviting(database=database, passwords=passwords, mailing=mailing, clock=clock, bits=bits)
    return Entrance(
        sessions=sessions,
        accounts=known,
        signing_in=signing_in,
        own_account=OwnAccount(
            database=database,
            known=known,
            sessions=sessions,
            limits=limits,
            passwords=passwords,
            vault=vault,
            site=site,
            clock=clock,
            bits=bits,
        ),
        inviting=inviting,
        exporters=Exporters(
            database=database, passwords=passwords, limits=limits, mailing=mailing, clock=clock, bits=bits
        ),
        elsewhere=Elsewhere(
            database=database,
            signing_in=signing_in,
            inviting=inviting,
            provider=(lambda: _provider(settings, clock)) if settings.oidc_issuer else None,
            clock=clock,
            bits=bits,
        ),
        members=Members(database=database, known=known, mailing=mailing, clock=clock),
        vault=vault,
    )


def _provider(settings: Settings, clock: Callable[[], datetime]) -> Provider:
    """Return the OpenID provider that the operator set. Misconfigured if its secret cannot be read."""
    path = settings.oidc_client_secret_file
    try:
        secret = path.read_text(encoding="utf-8").strip() if path else ""
    except OSError as error:
        raise Misconfigured(f"SIGNER_OIDC_CLIENT_SECRET_FILE cannot be read: {error.strerror}") from error
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=secret,
        redirect_uri=f"{settings.base_url.rstrip('/')}/sign-in/oidc/callback",
        clock=clock,
    )
