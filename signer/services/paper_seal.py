"""The code on paper: signed from the committed pending row, before anything is rendered, outside any transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from signer.document.page import SignedCode
from signer.domain import content as encoding
from signer.domain import paper_code
from signer.domain.values import beijing_day
from signer.errors import Conflict, KeyElsewhere, KeyUnavailable, Misconfigured
from signer.paper import cose
from signer.register import paper, parties
from signer.seal import forms, paper_key, service_key
from signer.seal.stores import examining
from signer.services.witnesses import password

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.number import Number
    from signer.domain.parties import Manufacturer
    from signer.domain.trust import TrustEntry
    from signer.register.database import Database
    from signer.register.paper import PendingRow
    from signer.register.parties import Tenant
    from signer.seal.keys import SealKey
    from signer.seal.paper_key import PaperKey
    from signer.services.engines import SealBox
    from signer.services.trust import TrustSource
    from signer.settings import Settings

log = structlog.get_logger()
WITHOUT = "confirmations go out without the signed code"
NEEDED = "nothing can be issued"
NEXT_STEP = "`signer keys paper` makes the next one, then put it on the trust list"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedPaperKey:
    """A manufacturer's key for codes on paper as it was found; no name if none is there."""

    name: str
    entry: TrustEntry | None
    found: tuple[examining.Found, ...]


class PaperSeal:
    """Sign the codes of confirmations by each manufacturer's key of the year."""

    def __init__(
        self,
        settings: Settings,
        *,
        database: Database,
        trust: TrustSource,
        box: SealBox,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._trust = trust
        self._box = box
        self._clock = clock

    def refuse_unready(self, maker: Manufacturer) -> None:
        """Where codes are required, refuse a manufacturer without a key before a number is used up. KeyUnavailable."""
        if self.is_required:
            self.key(maker)

    def codes(self, number: Number, tenant: Tenant) -> tuple[SignedCode, ...]:
        """
        Return the codes of a pending number, one for each twenty vehicles; none without a key, unless one is required.

        Raises Conflict if the number is not pending; where codes are required, KeyUnavailable or Misconfigured.
        """
        with self._database.read() as tx:
            row = paper.pending(tx, number, scope=tenant.scope)
        try:
            return self._signed(row, tenant.manufacturer)
        except (KeyUnavailable, KeyElsewhere, Misconfigured) as error:
            if self.is_required:
                raise
            log.warning("paper-code.without", number=number, reason=str(error)[:300])
            return ()

    def _signed(self, row: PendingRow, maker: Manufacturer) -> tuple[SignedCode, ...]:
        confirmation = encoding.parse_kept(row.content)
        key = self.key(maker, issued_at=confirmation.issued_at)
        digest = encoding.content_digest(row.content)
        parts, first, made = paper_code.of(confirmation, content_digest=digest, status=row.status), 1, []
        for part in parts:
            digits = cose.encode(part, kid=key.kid, sign_raw=key.key.sign_raw)
            last = first + len(part.vins) - 1
            link = paper_code.link(self._settings.base_url, digits)
            made.append(SignedCode(link, page=part.page or (1, 1), vehicles=(first, last)))
            first = last + 1
        return tuple(made)

    def key(self, maker: Manufacturer, *, issued_at: datetime | None = None) -> PaperKey:
        """
        Return the key that signs a manufacturer's codes now: the newest that the trust list entitles, then as now.

        Raises KeyUnavailable if none is there; Misconfigured, KeyUnavailable with the fault of the newest if none may.
        """
        at, faults = self._clock(), []
        trust = self._trust.current(at)
        for name in paper_key.names(self._settings.keys, maker.uscc):
            try:
                found = self._box.open_other(name, at=at)
                return paper_key.admit(found, trust, maker, at=at, issued_at=issued_at or at)
            except (KeyUnavailable, Misconfigured) as error:
                faults.append(error)
        raise faults[0] if faults else KeyUnavailable(f"{maker.legal_name} has no key for codes on paper")

    def counts_until(self, maker: str) -> datetime | None:
        """Return until when a manufacturer's codes (USCC or legal name) are signed; None if no key of it counts now."""
        with self._database.read() as tx:
            owner = parties.tenant(tx, maker).manufacturer
        try:
            found = self.key(owner)
        except (KeyUnavailable, KeyElsewhere, Misconfigured):
            return None
        ends = found.key.certificate.not_after
        return ends if found.entry.until_at is None else min(ends, found.entry.until_at)

    @property
    def is_required(self) -> bool:
        """Tell whether nothing is issued without a code."""
        return self._settings.paper_codes == "require"

    def examine(self, maker: Manufacturer) -> ExaminedPaperKey:
        """Look at a manufacturer's key, and try it; every fault by its name. None there: a warning, unless required."""
        names = paper_key.names(self._settings.keys, maker.uscc)
        if not names:
            is_needed = self.is_required
            told = f"no key for codes on paper: {NEEDED if is_needed else WITHOUT}; {NEXT_STEP}"
            found = examining.Found("store", "error" if is_needed else "warning", told)
            return ExaminedPaperKey(name="", entry=None, found=(found,))
        looked = [self._examined(name, maker, is_newest=not place) for place, name in enumerate(names)]
        return next((one for one in looked if all(found.health != "error" for found in one.found)), looked[0])

    def _examined(self, name: str, maker: Manufacturer, *, is_newest: bool) -> ExaminedPaperKey:
        at = self._clock()
        entries: list[TrustEntry | None] = [None]

        def list_fault(key: SealKey) -> str:
            trust = self._trust.current(at)
            entries.append(trust.by_digest(key.certificate.digest))
            return paper_key.fault(key, trust, maker, at=at)

        found = examining.examine_service(
            lambda: self._box.open_other(name, at=at),
            list_fault,
            usage_fault=service_key.usage_fault,
            at=at,
            secrets=lambda: self._box.secret_files(name),
        )
        told = tuple(_renewal(one, is_newest=is_newest) for one in found)
        return ExaminedPaperKey(name=name, entry=entries[-1], found=told)

    def make_key(self, maker: str, year: int | None = None) -> tuple[str, dict[str, str]]:
        """
        Make a manufacturer's key (USCC or legal name) for a year, this one if none is named.

        Returns its file's name in the folder of keys, and what to add to the trust list before it counts. Raises
        NotFound, Conflict if the year has one, KeyUnavailable without the password of the key files.
        """
        at = self._clock()
        year = year or beijing_day(at).year
        with self._database.read() as tx:
            owner = parties.tenant(tx, maker).manufacturer
        stem, folder = paper_key.stem(owner.uscc, year), self._settings.keys
        exported = folder / f"{stem}.crt.pem"
        if exported.exists() or any(name.startswith(stem) for name in paper_key.names(folder, owner.uscc)):
            raise Conflict(f"{stem}: the key of {year} is there already")
        is_test = self._settings.mode == "test"
        made = paper_key.make(owner, year, password=password(self._settings), at=at, is_test=is_test)
        forms.write_new(folder / made.name, made.secret, is_secret=True)
        forms.write_new(exported, made.certificate, is_secret=False)
        log.info("paper-key.made", uscc=owner.uscc, year=year)
        entry = {"purpose": "paper", "certificate": f"{stem}.crt.pem"}
        return made.name, entry | {"legal_name": owner.legal_name, "uscc": str(owner.uscc)}


def _renewal(found: examining.Found, *, is_newest: bool) -> examining.Found:
    """Say of a key that ends soon what comes next: nothing, where the next year's lies there already."""
    if found.part != "validity" or found.health == "ok":
        return found
    left = found.detail.partition(":")[0]
    if not is_newest:
        return examining.Found("validity", "ok", f"{left}; the next is there")
    return examining.Found("validity", "warning", f"{left}: {NEXT_STEP}")
