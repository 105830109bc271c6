"""
A deployment to practise with: TEST keys, sample parties, and a token for each part that a system may play.

Nothing in it has any effect. It is made in a folder of its own and can be made anew at any time.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from signer.domain.parties import Membership, Person, Role, Uscc
from signer.domain.values import beijing_day
from signer.errors import Misconfigured
from signer.register import accounts, exporters, parties
from signer.services.tokens import Wish
from signer.services.trust import make_test_pki

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from signer.domain.machines import Kind
    from signer.register.database import Database
    from signer.services.people import Parties, People
    from signer.services.tokens import Tokens
    from signer.services.trust import TrustSource
    from signer.settings import Settings

_DAY: Final = re.compile(r'"today([+-][0-9]{1,5})"')
_LASTS: Final = timedelta(days=400)
_LICENCE: Final = b"%PDF-1.7\n% TEST: a business licence of nobody\n"
_EXPORTERS, _OFFICER, _OPERATOR, _ADMIN = "exporter.sample", "officer.sample", "operator.sample", "admin.sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part that a system may play: its name, for whom it speaks, whose token it is, and the token."""

    name: str
    speaks_for: str
    person: str
    token: str


class Practising:
    """Fill an empty deployment in TEST mode."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        people: People,
        trust: TrustSource,
        tokens: Tokens,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._people = people
        self._trust = trust
        self._tokens = tokens
        self._clock = clock

    def fill(self, register: bytes, pki: bytes) -> tuple[Part, ...]:
        """Bring in parties (dates may be relative to today), make a TEST PKI, and give out tokens. Misconfigured."""
        if self._settings.mode != "test":
            raise Misconfigured("what is there to practise with is made in TEST mode only")
        at = self._clock()
        found = self._people.load(with_days(register.decode("utf-8"), beijing_day(at)).encode(), actor="cli")
        key_refs = make_test_pki(self._settings, pki, at=at)
        self._people.enrol_seals(self._trust.current(at), key_refs, actor="cli")
        self._let_in(found, at)
        return (*self._of_makers(found), *self._of_others(found))

    def _let_in(self, found: Parties, at: datetime) -> None:
        """Let one person act for the first exporter, accepted by every manufacturer; appoint the house's people."""
        newcomers = (_EXPORTERS, _OFFICER, _OPERATOR, _ADMIN)
        with self._database.write() as tx:
            for name in newcomers:
                parties.save_person(tx, Person(id=name, name=name), at=at)
            administered = parties.tenant(tx, found.manufacturers[0].record.uscc)
            uscc = administered.manufacturer.uscc
            keeps = Membership(person=_ADMIN, manufacturer=uscc, roles=frozenset({Role.ADMIN}))
            parties.save_membership(tx, keeps, scope=administered.scope, at=at)
            for name, role in ((_OFFICER, Role.OFFICER), (_OPERATOR, Role.OPERATOR)):
                accounts.appoint(tx, name, role, by="cli", at=at)
            first = found.exporters[0]
            sign_up = exporters.SignUp(
                ref="0" * 16,
                token_digest=hashlib.sha256(first.uscc.encode()).digest(),
                login=f"{_EXPORTERS}@sample.example",
                name=_EXPORTERS,
                password=None,
                language="en",
                exporter_uscc=first.uscc,
                legal_name=first.legal_name,
                file_name="licence.pdf",
                file_digest=hashlib.sha256(_LICENCE).digest(),
                media_type="application/pdf",
                size=len(_LICENCE),
                asked_at=at,
            )
            exporters.add(tx, sign_up, _LICENCE)
            exporters.confirm(tx, sign_up, person=_EXPORTERS, state="member", at=at)
            for maker in found.manufacturers:
                scope = parties.tenant(tx, maker.record.uscc).scope
                exporters.ask(tx, first.uscc, sign_up_ref=sign_up.ref, by=_EXPORTERS, scope=scope, at=at)
                asked = exporters.acceptance(tx, first.uscc, scope=scope)
                if asked is not None:
                    by = next(one.person for one in found.memberships if one.manufacturer == maker.record.uscc)
                    exporters.settle(tx, asked, "accepted", by=by, reason="", scope=scope, at=at)

    def _of_makers(self, found: Parties) -> tuple[Part, ...]:
        parts = []
        for member in found.memberships:
            uscc = Uscc(member.manufacturer)
            words = " and ".join(sorted(member.roles))
            parts.append(self._part(words, "maker", uscc, self._people.name_of(uscc), member.person))
        return tuple(parts)

    def _of_others(self, found: Parties) -> tuple[Part, ...]:
        first, maker = found.exporters[0], found.manufacturers[0].record
        return (
            self._part("admin", "maker", Uscc(maker.uscc), maker.legal_name, _ADMIN),
            self._part("exporter", "exporter", Uscc(first.uscc), first.legal_name, _EXPORTERS),
            self._part("officer", "house", None, "", _OFFICER),
            self._part("operator", "house", None, "", _OPERATOR),
        )

    def _part(self, name: str, kind: Kind, of: Uscc | None, speaks_for: str, person: str) -> Part:
        rights = self._tokens.may(person, kind, of)
        made = self._tokens.make(Wish(kind=kind, of=of, label=f"TEST {name}", rights=rights, lasts=_LASTS), by=person)
        return Part(name=name, speaks_for=speaks_for, person=person, token=made.secret)


def with_days(text: str, today: date) -> str:
    """Put real days for `"today-82"`, so that samples never age."""
    return _DAY.sub(lambda found: f'"{today + timedelta(days=int(found[1]))}"', text)
