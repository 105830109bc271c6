"""Who is told outside: webhooks, and what delivers to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.outbound import Client, tenants
from signer.services.delivering import Delivering
from signer.services.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.identity.vault import Vault
    from signer.register.database import Database
    from signer.services.engines import Chance
    from signer.services.mailing import Mailing
    from signer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """The use cases of who is told outside."""

    webhooks: Webhooks
    delivering: Delivering


def wire(
    settings: Settings,
    *,
    database: Database,
    vault: Callable[[], Vault],
    mailing: Mailing,
    clock: Callable[[], datetime],
    chance: Chance,
) -> Outgoing:
    """Put together who is told outside; addresses are public, or hosts that the settings name."""
    reach = tenants(settings.webhook_hosts.split())
    return Outgoing(
        webhooks=Webhooks(database=database, vault=vault, reach=reach, clock=clock, bits=chance.bits),
        delivering=Delivering(
            database=database, client=Client(reach), vault=vault, mailing=mailing, clock=clock, below=chance.below
        ),
    )
