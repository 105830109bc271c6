"""Name what is wrong with a deployment before users do: each part looked at on its own, every fault by its name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from signer import resources, sandbox
from signer import settings as configured
from signer.document import catalogue
from signer.domain.status_list import FRESH, TTL
from signer.domain.trust import Purpose, SealState
from signer.errors import KeyUnavailable, SignerError
from signer.register import (
    confirmations,
    deliveries,
    jobs,
    mails,
    parties,
    restores,
    seals,
    status_lists,
    upgrades,
    webhooks,
)
from signer.register.blobs import write_whole
from signer.register.scope import Scope
from signer.seal import service_key
from signer.seal.certificates import Certificate
from signer.services.maintain import PENDING_AGE
from signer.services.modes import open_to_everyone
from signer.services.post import SmtpPost, post_of
from signer.services.seals import nearest_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from signer.domain.trust import TrustList
    from signer.register.database import Database
    from signer.services.engines import Page, SealBox
    from signer.services.key_checks import CheckedKey, KeyChecking
    from signer.services.log_examining import Health, LogExamining
    from signer.services.room import Level, Room
    from signer.services.trust import TrustSource
    from signer.settings import Settings

LIST_WARNING = timedelta(days=7)
OFTEN = 3
LATE_MAIL = timedelta(hours=1)
_OF_LEVEL: Mapping[Level, Health] = {"ok": "ok", "low": "warning", "stopped": "error"}
_ORDER = ("ok", "warning", "error")
OVERDUE = timedelta(minutes=10)
CHECKS_AGE = timedelta(days=7)
"""A worker looks every minute; a job that has been due for so long has none."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """What was found of one part: its name, its health, the exact fault, and what to do next."""

    part: str
    health: Health
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What everything stands on: what the deployment was told, its register, its disks."""

    settings: Settings
    database: Database
    room: Room


class Doctor:
    """Look at every part of a deployment; nothing is changed, and one broken part hides no other."""

    def __init__(
        self,
        *,
        grounds: Grounds,
        trust: TrustSource,
        seals: SealBox,
        keys: KeyChecking,
        page: Page,
        log: LogExamining,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = grounds.settings
        self._database = grounds.database
        self._room = grounds.room
        self._trust = trust
        self._seals = seals
        self._keys = keys
        self._page = page
        self._examining_log = log
        self._clock = clock

    def examine(self) -> tuple[Symptom, ...]:
        """Return a symptom for every part, in the order in which one would mend them."""
        probes = (
            ("base-url", self._base_url),
            ("data-folder", self._data_folder),
            ("modes", self._modes),
            ("disk", self._disk),
            ("sandbox", self._walls),
            ("register", self._register),
            ("trust-list", self._trust_list),
            ("seals", self._all_seals),
            ("paper-keys", self._keys_for_paper),
            ("service-keys", self._keys_of_the_service),
            ("log", self._log),
            ("status-lists", self._status_lists),
            ("timestamps", self._timestamps),
            ("archive-copies", self._archive),
            ("template", self._template),
            ("pending", self._pending),
            ("self-check", self._self_checks),
            ("restore", self._restores),
            ("jobs", self._jobs),
            ("mail", self._mail),
            ("webhooks", self._webhooks),
        )
        return tuple(symptom for part, probe in probes for symptom in _guarded(part, probe))

    def glance(self) -> tuple[Symptom, ...]:
        """Return a symptom for each part that can be looked at every few seconds: nothing is written, nobody asked."""
        probes = (("register", self._register), ("disk", self._disk), ("pending", self._pending), ("jobs", self._jobs))
        return tuple(symptom for part, probe in probes for symptom in _guarded(part, probe))

    def healths(self) -> dict[str, Health]:
        """Return the worst that a glance finds of each part."""
        found: dict[str, Health] = {}
        for one in self.glance():
            found[one.part] = max(found.get(one.part, "ok"), one.health, key=_ORDER.index)
        return found

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
        except OSError as error:
            yield Symptom("data-folder", "error", f"{folder} cannot be written: {error.strerror}")
            return
        yield Symptom("data-folder", "ok", str(folder))

    def _modes(self) -> Iterator[Symptom]:
        """Tell what others on this computer may open: the data folder, keys, sealed files, the register."""
        found = tuple(open_to_everyone(self._settings.data_dir, keys=self._settings.keys, others=self._room.folders))
        for path in found:
            mode = "700" if path.is_dir() else "600"
            yield Symptom("modes", "warning", f"{path} is open to everyone: chmod {mode} {path}")
        if not found:
            yield Symptom("modes", "ok", "nobody else may read what is kept")

    def _disk(self) -> Iterator[Symptom]:
        for place in self._room.look():
            yield Symptom("disk", _OF_LEVEL[place.level], f"{place.name}: {place.told}")

    def _walls(self) -> Iterator[Symptom]:
        missing = [name for name, stood in sandbox.standing_walls().items() if not stood]
        if missing:
            yield Symptom("sandbox", "warning", f"{', '.join(missing)}: this kernel lacks them around hostile files")
        else:
            yield Symptom("sandbox", "ok", "every wall stands around a hostile file")

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
        health: Health = "warning" if trust.expires - at < LIST_WARNING else "ok"
        yield Symptom("trust-list", health, f"sequence {trust.sequence}, {days} days left")

    def _all_seals(self) -> Iterator[Symptom]:
        at = self._clock()
        trust = self._trust.current(at)
        with self._database.read() as tx:
            owned = [
                (tenant, seal)
                for tenant in parties.tenants(tx)
                for seal in parties.seals_of(tx, scope=tenant.scope, at=at)
            ]
        if not owned:
            yield Symptom("seals", "warning", "no manufacturer has a seal: nothing can be issued")
        yield from self._limits(at)
        for tenant, seal in owned:
            part = f"seal {seal.certificate_digest[:16]}"
            yield from _guarded(part, lambda t=tenant, s=seal, p=part: self._seal(p, t, s, trust, at))  # type: ignore[misc]

    def _limits(self, at: datetime) -> Iterator[Symptom]:
        with self._database.read() as tx:
            every = seals.all_of(tx, scope=Scope.everything("the doctor looks"), at=at)
        near = [seal for seal in every if seal.is_near_limit and seal.state is SealState.ACTIVE]
        for seal in near:
            what = "nothing more can be sealed this month" if seal.is_used_up else "the alarm is at 80 %"
            told = f"used {seal.used} of {seal.monthly_limit} times this month: {what} (`signer seals limit`)"
            yield Symptom(f"seal {seal.certificate_digest[:16]}", "warning", told)

    def _seal(
        self, part: str, tenant: parties.Tenant, seal: parties.Seal, trust: TrustList, at: datetime
    ) -> Iterator[Symptom]:
        name = tenant.manufacturer.legal_name
        if seal.state is not SealState.ACTIVE:
            health: Health = "ok" if seal.state is SealState.VERIFY_ONLY else "warning"
            yield Symptom(part, health, f"{name}: {seal.state} since {seal.state_since:%Y-%m-%dT%H:%M:%SZ}")
            return
        found = self._seals.circumstances(seal, tenant.manufacturer)
        if found.binding_fault:
            yield Symptom(part, "error", f"{name}: not bound to the manufacturer: {found.binding_fault}")
        for fault in self._seals.examine_key(seal, at=at):
            if fault.health != "ok" and fault.part != "validity":
                yield Symptom(part, fault.health, f"{name}: {fault.part}: {fault.detail}")
        yield _expiry(part, name, found.not_after, at)
        authorities = [entry for entry in trust.of(Purpose.CA) if Certificate(entry.der).not_after <= at]
        if authorities:
            yield Symptom(part, "error", f"{name}: an authority of its chain has expired")

    def _keys_for_paper(self) -> Iterator[Symptom]:
        """Look at the keys of those that seal: without one, what they issue bears no signed code."""
        for one in self._keys.of_paper():
            yield from _of_key("paper-keys", f"{one.legal_name}: {one.key_ref}", one, "opens and signs")

    def _keys_of_the_service(self) -> Iterator[Symptom]:
        for one in self._keys.of_the_service():
            purpose = one.key_ref.partition(".")[0]
            yield from _of_key("service-keys", one.key_ref, one, f"the {purpose} key opens and signs")

    def _log(self) -> Iterator[Symptom]:
        for health, told in self._examining_log.examine():
            yield Symptom("log", health, told)

    def _status_lists(self) -> Iterator[Symptom]:
        """Tell how old the oldest list is that verifiers without a network go by; without a key there are none."""
        try:
            service_key.find(self._settings.keys, Purpose.STATUS)
        except KeyUnavailable:
            return
        with self._database.read() as tx:
            kept, numbers = status_lists.signed(tx), status_lists.numbers(tx)
        if len(kept) < len(numbers):
            yield Symptom("status-lists", "warning", f"{len(kept)} of {len(numbers)} signed: no worker has come to it")
            return
        oldest = min(one.at for _, one in kept)
        age, told = self._clock() - oldest, f"{len(kept)} signed, as of {oldest:%Y-%m-%dT%H:%M:%SZ}"
        if age > FRESH:
            told += ": codes on paper are in doubt offline; see the job `status-lists`"
        late: Health = "error" if age > FRESH else "warning"
        yield Symptom("status-lists", late if age > 3 * TTL else "ok", told)

    def _timestamps(self) -> Iterator[Symptom]:
        """Ask every authority: the first that answers rightly is enough, but one that is silent is no reserve."""
        found = self._seals.witnesses.try_each()
        is_served = any(not isinstance(told, SignerError) for _, told in found)
        for name, told in found:
            if isinstance(told, SignerError):
                yield Symptom("timestamps", "warning" if is_served else "error", str(told))
                continue
            difference = abs(told - self._clock())
            health: Health = "ok" if difference <= timedelta(seconds=60) else "warning"
            yield Symptom("timestamps", health, f"{name} answered; its clock differs by {difference.seconds} s")
        if not found:
            yield Symptom("timestamps", "error", "no timestamping authority is configured: set SIGNER_TSA_URLS")

    def _archive(self) -> Iterator[Symptom]:
        with self._database.read() as tx:
            made, lapsed, next_end = upgrades.counts(tx, at=self._clock())
            revoked = upgrades.revoked(tx)
        ends = f", the next ends {next_end:%Y-%m-%d}" if next_end else ""
        yield Symptom("archive-copies", "error" if lapsed else "ok", f"{made} kept, {lapsed} lapsed{ends}")
        for digest, revoked_at in revoked:
            yield Symptom(f"certificate {digest[:16]}", "error", f"its authority revoked it at {revoked_at:%Y-%m-%d}")

    def _template(self) -> Iterator[Symptom]:
        template = catalogue.load(resources.templates_dir(), self._page.version)
        missing = self._page.uncovered("确认书 Confirmation Подтверждение تأكيد")
        if missing:
            yield Symptom("fonts", "error", f"no font has U+{ord(missing):04X}")
        yield Symptom("template", "ok", f"version {template.version}, renderer {self._page.digest.hex()[:16]}")

    def _pending(self) -> Iterator[Symptom]:
        with self._database.read() as tx:
            stale = confirmations.pending(
                tx, scope=Scope.everything("the doctor looks"), before=self._clock() - PENDING_AGE
            )
        if stale:
            yield Symptom("pending", "warning", f"`signer maintain` is due for {len(stale)}: {', '.join(stale[:5])}")
        else:
            yield Symptom("pending", "ok", "none")

    def _self_checks(self) -> Iterator[Symptom]:
        """Tell of sealed files that did not pass our own check: our defect, whatever else it is."""
        since = self._clock() - CHECKS_AGE
        with self._database.read() as tx:
            failed = confirmations.failed_checks(tx, scope=Scope.everything("the doctor looks"), since=since)
        for number, reason in failed[:5]:
            yield Symptom("self-check", "error", f"{number} was sealed and held back, {reason}")
        if not failed:
            yield Symptom("self-check", "ok", f"no sealed file was held back in {CHECKS_AGE.days} days")

    def _restores(self) -> Iterator[Symptom]:
        with self._database.read() as tx:
            gaps, is_held = restores.gaps(tx), restores.is_held(tx)
        for gap in gaps:
            span = f"{gap.since:%Y-%m-%dT%H:%M:%SZ} to {gap.until:%Y-%m-%dT%H:%M:%SZ}"
            told = "bring back what was issued and ended then, and say so: `signer db close-gap`"
            yield Symptom("restore", "warning", f"nothing is known of {span}: {told}")
        if is_held:
            yield Symptom("restore", "warning", "nothing is issued until `signer db release`")
        elif not gaps:
            yield Symptom("restore", "ok", "no gap is open")

    def _jobs(self) -> Iterator[Symptom]:
        at = self._clock()
        with self._database.read() as tx:
            found = jobs.jobs(tx)
        ailing = [job for job in found if job.state == "failed" or job.attempts >= OFTEN]
        for job in ailing:
            what = "was given up" if job.state == "failed" else f"failed {job.attempts} times"
            told = f"{job.kind} {what}: {job.error}; mend that, then `signer jobs retry {job.id}`"
            yield Symptom("jobs", "warning", told)
        waiting = [job.next_at for job in found if job.state == "waiting"]
        if not found or any(due <= at - OVERDUE for due in waiting):
            since = f"since {min(waiting):%Y-%m-%dT%H:%M:%SZ}" if waiting else "ever"
            told = f"no worker has looked {since}: start `signer worker`, or serve with one (`signer serve --worker`)"
            yield Symptom("jobs", "warning", told)
        elif not ailing:
            yield Symptom("jobs", "ok", f"{len(found)} known")

    def _mail(self) -> Iterator[Symptom]:
        post = post_of(self._settings)
        if isinstance(post, SmtpPost):
            post.refuse_unready()
        elif self._settings.mode == "production":
            told = f"nobody gets mail: it is written to {post.place}; set SIGNER_SMTP_URL"
            yield Symptom("mail", "warning", told)
        with self._database.read() as tx:
            mail = mails.waiting(tx)
        if mail.given_up:
            told = f"{mail.given_up} given up in the last 30 days: {mail.error}"
            yield Symptom("mail", "warning", f"{told}; write to these people otherwise, and mend that")
        if mail.since is not None and mail.since <= self._clock() - LATE_MAIL:
            told = f"{mail.waiting} waiting since {mail.since:%Y-%m-%dT%H:%M:%SZ}: {mail.error or 'no worker sends'}"
            yield Symptom("mail", "warning", told)
        elif not mail.given_up:
            yield Symptom("mail", "ok", f"goes to {post.place}")

    def _webhooks(self) -> Iterator[Symptom]:
        everybodys = Scope.everything("the doctor looks")
        with self._database.read() as tx:
            dead, gone = deliveries.dead_count(tx, scope=everybodys), webhooks.gone(tx, scope=everybodys)
        if dead:
            told = f"{dead} given up after three days: see the office's webhooks, and send them again"
            yield Symptom("webhooks", "warning", told)
        if gone:
            yield Symptom("webhooks", "warning", f"{gone} gone (410): their manufacturers know, and change the address")
        if not dead and not gone:
            yield Symptom("webhooks", "ok", "nothing was given up")


def _of_key(part: str, name: str, one: CheckedKey, sound: str) -> Iterator[Symptom]:
    ailing = [found for found in one.found if found.health != "ok"]
    for found in ailing:
        yield Symptom(part, found.health, f"{name}: {found.part}: {found.detail}")
    if not ailing:
        yield Symptom(part, "ok", f"{name}: {sound}")


def _expiry(part: str, name: str, not_after: datetime, at: datetime) -> Symptom:
    days = (not_after - at).days
    near = nearest_step(days)
    detail = f"{name}: key opens, certificate has {days} days left"
    return Symptom(part, "ok" if near is None else "warning", detail)


def _guarded(part: str, probe: Callable[[], Iterator[Symptom]]) -> Iterator[Symptom]:
    try:
        yield from probe()
    except (SignerError, OSError) as error:
        yield Symptom(part, "error", str(error))
