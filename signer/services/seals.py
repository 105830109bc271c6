"""Keep a manufacturer's seals: enrol, limit, replace, retire; and rename a company, which freezes its seals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from signer.domain.confirmation import SealClass
from signer.domain.parties import Role
from signer.domain.trust import Purpose, SealState
from signer.domain.values import format_instant
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted
from signer.register import audit, parties, seals
from signer.register.scope import Scope
from signer.seal.certificates import Certificate
from signer.services.publishing import refuse_one_operator
from signer.services.renaming import enter

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.parties import Manufacturer
    from signer.domain.trust import NamingProfile, TrustEntry
    from signer.register.database import Database, Transaction
    from signer.services.engines import SealBox
    from signer.services.renaming import Renaming
    from signer.services.trust import TrustSource

log = structlog.get_logger()

EXPIRY_STEPS = (7, 30, 90)
"""Days before a certificate's end at which its keepers are warned anew."""
MOST_LIMIT = 10_000_000
MIN_DIGEST = 8
_EVERYTHING = Scope.everything("operators see to all seals")
_KEEPERS = frozenset({Role.ADMIN, Role.OPERATOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    A seal as its keepers see it; what its certificate says comes from the trust list, None or '' if it is not there.

    `uses`: how many confirmations it has sealed, ever.
    """

    kept: seals.Kept
    legal_name: str
    state: SealState
    naming_profile: NamingProfile | None
    not_after: datetime | None
    days_left: int | None
    subject: str
    issuer: str
    uses: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a keeper must see to, in words."""
        found = []
        if self.not_after is None:
            found.append("not on the trust list")
        if self.state is SealState.ACTIVE and (step := nearest_step(self.days_left)) is not None:
            found.append(f"certificate ends within {step} days" if step else "certificate has expired")
        if self.kept.is_used_up:
            found.append("monthly limit reached")
        elif self.kept.is_near_limit:
            found.append("monthly limit nearly reached")
        return tuple(found)


def nearest_step(days_left: int | None) -> int | None:
    """Return the warning that applies: 90, 30 or 7 days before the end, 0 after it; None while it is far off."""
    if days_left is None:
        return None
    return 0 if days_left < 0 else next((step for step in EXPIRY_STEPS if days_left <= step), None)


def warn_near_limit(seal: seals.Kept) -> None:
    """Alarm whoever reads the log when a seal that was just reserved nears its monthly limit."""
    using = replace(seal, used=seal.used + 1)
    if using.is_near_limit:
        log.warning("seal.near-limit", seal=seal.certificate_digest[:16], used=using.used, limit=seal.monthly_limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Who does something about a manufacturer's seals: `second` is another person where two are needed."""

    manufacturer: str
    by: str
    second: str | None = None


class SealKeeping:
    """Keep the seals of manufacturers."""

    def __init__(self, *, database: Database, trust: TrustSource, box: SealBox, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._trust = trust
        self._box = box
        self._clock = clock

    def all(self, manufacturer: str | None = None) -> tuple[Shown, ...]:
        """Return the seals of one manufacturer, or of all (for operators)."""
        at = self._clock()
        listed = {entry.certificate_digest: entry for entry in self._trust.current(at).of(Purpose.PDF_SEAL)}
        with self._database.read() as tx:
            mine = _EVERYTHING if manufacturer is None else parties.tenant(tx, manufacturer).scope
            names = {tenant.id: tenant.manufacturer.legal_name for tenant in parties.tenants(tx)}
            kept = seals.all_of(tx, scope=mine, at=at)
            uses = audit.use_counts(tx, scope=mine)
        return tuple(
            _shown(each, names[each.manufacturer_id], listed, at, uses=uses.get(each.certificate_digest, 0))
            for each in kept
        )

    def one(self, certificate: str, *, manufacturer: str) -> Shown:
        """Return the one seal of a manufacturer's whose certificate's SHA-256 begins so. NotFound."""
        found = [seal for seal in self.all(manufacturer) if seal.kept.certificate_digest.startswith(certificate)]
        if len(found) != 1 or len(certificate) < MIN_DIGEST:
            raise NotFound("no such seal of this manufacturer's")
        return found[0]

    def add(self, certificate: str, *, key_ref: str, asked: Keeping) -> str:
        """
        Enrol a seal that the trust list names for a manufacturer, with its key; return the certificate's digest.

        The key is opened and compared first. A pinned or OFFICIAL seal needs two operators. NotFound, NotPermitted,
        Conflict, InvalidInput; KeyUnavailable or Misconfigured name what is wrong with the key.
        """
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, asked.manufacturer)
        seal = self._fitting(certificate, tenant, key_ref, at)
        with self._database.write() as tx:
            self._enrol(tx, seal, tenant, asked, at)
        return seal.certificate_digest

    def limit(self, certificate: str, limit: int | None, *, asked: Keeping) -> str:
        """Set how often a calendar month a seal may be used (None: unlimited); return the certificate's digest."""
        if limit is not None and not 1 <= limit <= MOST_LIMIT:
            raise InvalidInput("limit", f"is a whole number from 1 to {MOST_LIMIT}")
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, asked.manufacturer)
            _refuse_stranger(tx, asked.by, tenant)
            seal = seals.named(tx, certificate, scope=tenant.scope, at=at)
            seals.set_limit(tx, seal.certificate_digest, scope=tenant.scope, limit=limit)
            told = {"before": str(seal.monthly_limit or "none"), "limit": str(limit or "none")}
            _note(tx, "seal.limited", seal.certificate_digest, tenant.id, asked, at, **told)
        return seal.certificate_digest

    def rotate(self, old: str, new: str, *, key_ref: str, asked: Keeping) -> tuple[str, str]:
        """
        Put a new certificate in the place of an old one, in one transaction; return both digests.

        The old seal is verify-only from that instant: what it sealed stays valid, with a notice. Two keepers.
        """
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, asked.manufacturer)
            before = seals.named(tx, old, scope=tenant.scope, at=at)
        seal = self._fitting(new, tenant, key_ref, at)
        if seal.certificate_digest == before.certificate_digest:
            raise InvalidInput("new", "is the certificate of the old seal")
        with self._database.write() as tx:
            _refuse_alone(tx, asked, tenant)
            self._enrol(tx, seal, tenant, asked, at)
            if before.monthly_limit is not None:
                digest = seal.certificate_digest
                seals.set_limit(tx, digest, scope=tenant.scope, limit=before.monthly_limit)
            seals.retire(tx, before.certificate_digest, scope=tenant.scope, at=at)
            successor = seal.certificate_digest[:16]
            _note(tx, "seal.rotated", before.certificate_digest, tenant.id, asked, at, successor=successor)
        return before.certificate_digest, seal.certificate_digest

    def retire(self, certificate: str, *, asked: Keeping) -> str:
        """Make a seal verify-only for ever; two keepers. Return the certificate's digest."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, asked.manufacturer)
            _refuse_alone(tx, asked, tenant)
            seal = seals.named(tx, certificate, scope=tenant.scope, at=at)
            seals.retire(tx, seal.certificate_digest, scope=tenant.scope, at=at)
            _note(tx, "seal.retired", seal.certificate_digest, tenant.id, asked, at)
        return seal.certificate_digest

    def rename(self, renaming: Renaming, *, asked: Keeping) -> tuple[Manufacturer, tuple[str, ...]]:
        """
        Enter a company's new name and freeze the seals in its old one; return its record and the frozen seals.

        The former name stays on record with its last day and the evidence, so that certificates of vehicles which
        name it still count (B3). Two keepers. NotFound, NotPermitted, InvalidInput.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, asked.manufacturer)
            _refuse_alone(tx, asked, tenant)
            return enter(tx, tenant, renaming, by=asked.by, second=asked.second or "", at=at)

    def _fitting(self, beginning: str, tenant: parties.Tenant, key_ref: str, at: datetime) -> parties.Seal:
        """Return a seal that the list names for a manufacturer, now, and whose key opens and is its own."""
        entry = self._entry(beginning, at)
        if fault := _fault_now(entry, at):
            raise Conflict(f"{entry.certificate_digest[:16]} may not seal now: {fault}")
        seal = parties.Seal(
            certificate_digest=entry.certificate_digest,
            seal_class=entry.seal_class or SealClass.TEST,
            state=SealState.ACTIVE,
            state_since=at,
            key_ref=key_ref,
        )
        if fault := self._box.circumstances(seal, tenant.manufacturer).binding_fault:
            raise InvalidInput("certificate", f"is not {tenant.manufacturer.legal_name}'s: {fault}")
        self._box.open(seal, at=at)
        return seal

    def _entry(self, beginning: str, at: datetime) -> TrustEntry:
        listed = self._trust.current(at).of(Purpose.PDF_SEAL)
        found = [entry for entry in listed if entry.certificate_digest.startswith(beginning.lower())]
        if len(found) != 1 or len(beginning) < 8:
            raise NotFound(f"no seal {beginning[:16]!r} on the trust list: publish a list that names it first")
        return found[0]

    def _enrol(self, tx: Transaction, seal: parties.Seal, tenant: parties.Tenant, asked: Keeping, at: datetime) -> None:
        _refuse_stranger(tx, asked.by, tenant)
        entry = self._entry(seal.certificate_digest, at)
        if entry.needs_two_operators:
            refuse_one_operator(tx, by=asked.by, second=asked.second)
        if seals.standing_of(tx, seal.certificate_digest, at=at) is not None:
            raise Conflict(f"the seal {seal.certificate_digest[:16]} is enrolled already")
        parties.enrol_seal(tx, seal, scope=tenant.scope, at=at)
        _note(tx, "seal.enrolled", seal.certificate_digest, tenant.id, asked, at, seal_class=seal.seal_class)


def _fault_now(entry: TrustEntry, at: datetime) -> str:
    """Return why an entry of the trust list lets nothing be sealed at an instant, or ''."""
    certificate = Certificate(entry.der)
    if at > certificate.not_after:
        return f"its certificate expired at {format_instant(certificate.not_after)}"
    if at < certificate.not_before:
        return f"its certificate is not valid before {format_instant(certificate.not_before)}"
    if entry.state is not SealState.ACTIVE:
        return f"the trust list says {entry.state}"
    if at < entry.from_at:
        return f"the trust list entitles it from {format_instant(entry.from_at)}"
    if entry.until_at is not None and at >= entry.until_at:
        return f"the trust list entitled it until {format_instant(entry.until_at)}"
    return ""


def _shown(kept: seals.Kept, legal_name: str, listed: dict[str, TrustEntry], at: datetime, *, uses: int) -> Shown:
    entry = listed.get(kept.certificate_digest)
    certificate = None if entry is None else Certificate(entry.der)
    not_after = None if certificate is None else certificate.not_after
    if not_after is not None and entry is not None and entry.until_at is not None:
        not_after = min(not_after, entry.until_at)
    return Shown(
        kept=kept,
        legal_name=legal_name,
        state=kept.state if entry is None or entry.state is SealState.ACTIVE else entry.state,
        naming_profile=entry.naming_profile if entry else None,
        not_after=not_after,
        days_left=None if not_after is None else (not_after - at).days,
        subject=certificate.subject if certificate else "",
        issuer=certificate.issuer_name if certificate else "",
        uses=uses,
    )


def _refuse_stranger(tx: Transaction, person: str, tenant: parties.Tenant) -> None:
    parties.person_of(tx, person)
    if not parties.roles_of(tx, person, scope=tenant.scope) & _KEEPERS:
        raise NotPermitted(f"{person} is not {Role.ADMIN} or {Role.OPERATOR} of this manufacturer")


def _refuse_alone(tx: Transaction, asked: Keeping, tenant: parties.Tenant) -> None:
    """Refuse unless two people keep this manufacturer's seals and agree: what follows cannot be undone."""
    if asked.second is None or asked.second == asked.by:
        raise NotPermitted("this cannot be undone: name a second person who keeps the seals")
    for person in (asked.by, asked.second):
        _refuse_stranger(tx, person, tenant)


def _note(
    tx: Transaction, event: str, digest: str, manufacturer_id: int, asked: Keeping, at: datetime, **more: str
) -> None:
    scope = {"actor": asked.by, "subject": digest[:16], "second": asked.second or ""}
    audit.note(tx, event, at=at, manufacturer_id=manufacturer_id, **scope, **more)
