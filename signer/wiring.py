"""The composition root: settings in, use cases out. No framework, nothing global."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from signer import __version__, resources
from signer.register.blobs import open_blobs
from signer.register.database import Database
from signer.services.doctor import Doctor
from signer.services.engines import Chance, Page, SealBox
from signer.services.export import Exporting
from signer.services.issue import Issuing
from signer.services.keep import Keeping
from signer.services.licence import LicenceChecking
from signer.services.lookups import LookingUp
from signer.services.maintain import Maintaining
from signer.services.people import People
from signer.services.redact import Redacting
from signer.services.reimport import Reimporting
from signer.services.sealing import Sealing
from signer.services.trust import TrustSource
from signer.services.verify import Verifying
from signer.services.withdraw import Ending
from signer.services.work import Working
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.trust import TrustList
    from signer.services.verify import Judge
    from signer.settings import Settings

VERSION = __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases of one deployment."""

    settings: Settings
    database: Database
    people: People
    trust: TrustSource
    verifying: Verifying
    lookups: LookingUp
    licence: LicenceChecking
    issuing: Issuing
    ending: Ending
    exporting: Exporting
    keeping: Keeping
    maintaining: Maintaining
    working: Working
    redacting: Redacting
    reimporting: Reimporting
    doctor: Doctor


def now() -> datetime:
    """Tell the time: the only clock of the house, handed to whoever needs one."""
    return datetime.now(UTC)


def wire(settings: Settings, *, clock: Callable[[], datetime] = now, judge: Judge | None = None) -> Services:
    """Put the house together for one process; keys and fonts open when first needed. `judge`: else the sandbox."""
    database = Database(settings.database)
    blobs = open_blobs(settings.blob_url, database=database, folder=settings.data_dir / "blobs")
    trust = TrustSource(settings)
    policy = Policy(mode=settings.mode)

    def current() -> TrustList:
        return trust.current(clock())

    verifying = Verifying(database=database, trust=current, judge=judge or trust.judge, policy=policy, clock=clock)
    lookups = LookingUp(database=database, trust=current, policy=policy, clock=clock)
    templates = resources.templates_dir()
    page, seals = Page(settings, templates), SealBox(settings, trust=trust, clock=clock)
    chance = Chance(bits=secrets.randbits, below=secrets.randbelow)
    sealing = Sealing(database=database, blobs=blobs, page=page, seals=seals, verifying=verifying, clock=clock)
    issuing = Issuing(
        database=database,
        blobs=blobs,
        page=page,
        seals=seals,
        sealing=sealing,
        clock=clock,
        chance=chance,
    )
    maintaining = Maintaining(
        database=database,
        blobs=blobs,
        sealing=sealing,
        verifying=verifying,
        page=page,
        seals=seals,
        clock=clock,
        below=chance.below,
    )
    people = People(database=database, clock=clock)
    return Services(
        settings=settings,
        database=database,
        people=people,
        trust=trust,
        verifying=verifying,
        lookups=lookups,
        licence=LicenceChecking(verifying=verifying, lookups=lookups, clock=clock),
        issuing=issuing,
        ending=Ending(database=database, clock=clock),
        exporting=Exporting(database=database),
        maintaining=maintaining,
        working=Working(database=database, maintaining=maintaining, clock=clock),
        keeping=Keeping(database=database, blobs=blobs, clock=clock),
        redacting=Redacting(database=database, clock=clock),
        reimporting=Reimporting(database=database, blobs=blobs, verifying=verifying, clock=clock, chance=chance),
        doctor=Doctor(
            settings=settings,
            database=database,
            trust=trust,
            seals=seals,
            page=page,
            templates=templates,
            clock=clock,
        ),
    )


def wire_ready(settings: Settings, *, clock: Callable[[], datetime] = now) -> Services:
    """Put the house together over a register whose schema is this code's; Misconfigured otherwise."""
    services = wire(settings, clock=clock)
    services.database.refuse_other_version()
    return services
