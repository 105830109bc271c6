"""Name what is wrong with a deployment before users do: each part looked at on its own, every fault by its name."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from signer import settings as configured
from signer.document import catalogue
from signer.domain.trust import Purpose, SealState
from signer.errors import SignerError
from signer.register import confirmations, parties
from signer.register.blobs import write_whole
from signer.seal.certificates import Certificate
from signer.services.maintain import PENDING_AGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from signer.domain.trust import TrustList
    from signer.register.database import Database
    from signer.services.engines import Page, SealBox
    from signer.services.trust import TrustSource
    from signer.settings import Settings

Health = Literal["ok", "warning", "error"]
EXPIRY_STEPS = (7, 30, 60)
LEAST_DISK = 200_000_000


@dataclass(frozen=True, slots=True)
class Symptom:
    """What was found of one part: its name, its health, the exact fault, and what to do next."""

    part: str
    health: Health
    detail: str


class Doctor:
    """Look at every part of a deployment; nothing is changed, and one broken part hides no other."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        trust: TrustSource,
        seals: SealBox,
        page: Page,
        templates: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._trust = trust
        self._seals = seals
        self._page = page
        self._templates = templates
        self._clock = clock

    def examine(self) -> tuple[Symptom, ...]:
        """Return a symptom for every part, in the order in which one would mend them."""
        probes = (
            ("base-url", self._base_url),
            ("data-folder", self._data_folder),
            ("register", self._register),
            ("trust-list", self._trust_list),
            ("seals", self._all_seals),
            ("timestamps", self._timestamps),
            ("template", self._template),
            ("pending", self._pending),
        )
        return tuple(symptom for part, probe in probes for symptom in _guarded(part, probe))

    def _base_url(self) -> Iterator[Symptom]:
        fault = configured.base_url_fault(self._settings.base_url)
        if fault and self._settings.mode == "production":
            yield Symptom("base-url", "error", f"SIGNER_BASE_URL {fault}")
        else:
            yield Symptom("base-url", "ok", self._settings.base_url)

    def _data_folder(self) -> Iterator[Symptom]:
        folder = self._settings.data_dir
        probe = folder / ".doctor"
        try:
            write_whole(probe, b"doctor")
            probe.unlink()
            free = shutil.disk_usage(folder).free
        except OSError as error:
            yield Symptom("data-folder", "error", f"{folder} cannot be written: {error.strerror}")
            return
        health: Health = "ok" if free >= LEAST_DISK else "warning"
        yield Symptom("data-folder", health, f"{folder}: {free // 1_000_000} MB free")
        if folder.stat().st_mode & 0o007:
            yield Symptom("data-folder", "warning", f"{folder} is open to everyone: chmod 700 {folder}")

    def _register(self) -> Iterator[Symptom]:
        self._database.refuse_other_version()
        yield Symptom("register", "ok", f"schema {self._database.version()}")

    def _trust_list(self) -> Iterator[Symptom]:
        at = self._clock()
        trust = self._trust.current(at)
        if trust.issued > at:
            yield Symptom("clock", "error", f"the trust list is from the future ({trust.issued:%Y-%m-%d}): clock off?")
        if at >= trust.expires:
            yield Symptom("trust-list", "error", f"expired at {trust.expires:%Y-%m-%dT%H:%M:%SZ}: publish a new one")
            return
        days = (trust.expires - at).days
        health: Health = "warning" if days < EXPIRY_STEPS[0] else "ok"
        yield Symptom("trust-list", health, f"sequence {trust.sequence}, {days} days left")

    def _all_seals(self) -> Iterator[Symptom]:
        at = self._clock()
        trust = self._trust.current(at)
        with self._database.read() as tx:
            owned = [
                (tenant, seal)
                for tenant in parties.tenants(tx)
                for seal in parties.seals_of(tx, manufacturer_id=tenant.id, at=at)
            ]
        if not owned:
            yield Symptom("seals", "warning", "no manufacturer has a seal: nothing can be issued")
        for tenant, seal in owned:
            part = f"seal {seal.certificate_digest[:16]}"
            yield from _guarded(part, lambda t=tenant, s=seal, p=part: self._seal(p, t, s, trust, at))  # type: ignore[misc]

    def _seal(
        self, part: str, tenant: parties.Tenant, seal: parties.Seal, trust: TrustList, at: datetime
    ) -> Iterator[Symptom]:
        name = tenant.manufacturer.legal_name
        if seal.state is not SealState.ACTIVE:
            yield Symptom(part, "warning", f"{name}: {seal.state}")
            return
        found = self._seals.circumstances(seal, tenant.manufacturer)
        if found.binding_fault:
            yield Symptom(part, "error", f"{name}: not bound to the manufacturer: {found.binding_fault}")
        self._seals.open(seal, at=at)
        yield _expiry(part, name, found.not_after, at)
        authorities = [entry for entry in trust.of(Purpose.CA) if Certificate(entry.der).not_after <= at]
        if authorities:
            yield Symptom(part, "error", f"{name}: an authority of its chain has expired")

    def _timestamps(self) -> Iterator[Symptom]:
        at = self._seals.try_timestamp()
        difference = abs(at - self._clock())
        health: Health = "ok" if difference <= timedelta(seconds=60) else "warning"
        yield Symptom("timestamps", health, f"an authority answered; its clock differs by {difference.seconds} s")

    def _template(self) -> Iterator[Symptom]:
        template = catalogue.load(self._templates, self._page.version)
        missing = self._page.uncovered("确认书 Confirmation Подтверждение تأكيد")
        if missing:
            yield Symptom("fonts", "error", f"no font has U+{ord(missing):04X}")
        yield Symptom("template", "ok", f"version {template.version}, renderer {self._page.digest.hex()[:16]}")

    def _pending(self) -> Iterator[Symptom]:
        with self._database.read() as tx:
            stale = confirmations.pending(tx, before=self._clock() - PENDING_AGE)
        if stale:
            yield Symptom("pending", "warning", f"`signer maintain` is due for {len(stale)}: {', '.join(stale[:5])}")
        else:
            yield Symptom("pending", "ok", "none")


def _expiry(part: str, name: str, not_after: datetime, at: datetime) -> Symptom:
    days = (not_after - at).days
    near = next((step for step in EXPIRY_STEPS if days <= step), None)
    detail = f"{name}: key opens, certificate has {days} days left"
    return Symptom(part, "ok" if near is None else "warning", detail)


def _guarded(part: str, probe: Callable[[], Iterator[Symptom]]) -> Iterator[Symptom]:
    try:
        yield from probe()
    except (SignerError, OSError) as error:
        yield Symptom(part, "error", str(error))
