"""
Take in spreadsheets: read and judged before anything is written, then run step by step, each step once.

A step makes one draft and moves the counter in one transaction: whoever goes on after a crash goes on behind it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from signer.domain.confirmation import DraftCommitment
from signer.domain.importing import Chosen, DraftMade, Failure, Plan, Report, SheetRow, draft_of, parted, read_plan
from signer.domain.parties import country_code
from signer.domain.values import parse_day, tidy
from signer.domain.vehicle import Vin
from signer.domain.vehicle_columns import PRODUCTION_COLUMNS, VEHICLE_COLUMNS
from signer.errors import Conflict, RuleViolation
from signer.register import drafts, imports, jobs, parties, production
from signer.register.scope import Scope
from signer.services import queues
from signer.services.sheet_judging import SheetJudging
from signer.sheets import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from signer.domain.columns import Column
    from signer.domain.parties import Uscc
    from signer.register.database import Database, Transaction
    from signer.register.imports import Handed, Head, Kind
    from signer.services.engines import Chance, Page, SealBox
    from signer.services.room import Room

JOB: Final = "import"
AT_ONCE: Final = 200
"""Rows that are done while the person waits; the rest is a job."""
FILE_KEPT: Final = queues.KEPT
STILL: Final = timedelta(minutes=10)
"""A run that was not heard of for so long needs an operator: no worker, or a job that fails."""
COLUMNS: Mapping[Kind, tuple[Column, ...]] = {"vehicles": VEHICLE_COLUMNS, "production": PRODUCTION_COLUMNS}
_LOOKED_BACK = 10
_MAINTENANCE: Final = Scope.everything("files that were handed in are kept for a while only")
_JOBS: Final = Scope.everything("a job goes on with the import that it was added for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who hands a sheet in, for which manufacturer."""

    person: str
    maker: Uscc


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An import as a page shows it; `names` are the manufacturers' by USCC, `file_until` when its file is deleted."""

    head: Head
    plan: Plan
    report: Report
    names: Mapping[str, str]
    has_file: bool
    file_until: datetime
    is_still: bool

    @property
    def may_go_on(self) -> bool:
        """Tell whether an import that failed can go on where it stopped."""
        failure = self.report.failure
        return self.head.state == "failed" and failure is not None and failure.code == "tries"

    @property
    def to_do(self) -> int:
        """How many rows an import that runs still has before it."""
        return max(0, self.head.good - self.head.done)

    @property
    def remaining(self) -> timedelta | None:
        """How long it will go on at the pace it had so far; None while that is not known."""
        if self.plan.chosen is None or self.head.done == 0:
            return None
        return (self.head.changed_at - self.plan.chosen.at) / self.head.done * self.to_do


class Importing:
    """Takes sheets in for every manufacturer; each call names one by its USCC, and other makers' are not there."""

    def __init__(
        self,
        *,
        database: Database,
        page: Page,
        seals: SealBox,
        room: Room,
        clock: Callable[[], datetime],
        chance: Chance,
    ) -> None:
        self._database = database
        self._room = room
        self._judging = SheetJudging(page=page, seals=seals)
        self._clock = clock
        self._chance = chance

    def hand_in(self, asked: Asked, kind: Kind, file_name: str, data: bytes) -> tuple[str, bool]:
        """
        Read and judge a sheet, keep it, and return its reference and whether it is new.

        A file that was handed in before, byte for byte, is the earlier import again; one that was not run yet is judged
        anew. Raises RuleViolation for a file that is no sheet of this kind, StorageLow, QueueFull.
        """
        self._room.refuse_low()
        table = reading.read(data)
        digest = hashlib.sha256(data).digest()
        plan, report = read_plan(table, COLUMNS[kind])
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, asked.maker)
            known = imports.same(tx, kind, digest, scope=tenant.scope)
            earlier = None if known is None else imports.get(tx, known, scope=tenant.scope)
            if earlier is not None and earlier.head.state == "failed" and not _may_go_on(earlier):
                earlier = None
            if earlier is not None and earlier.head.state != "read":
                return earlier.head.ref, False
            plan, report = self._judging.judge(tx, kind, (plan, report), table, person=asked.person, own=tenant, at=at)
            ref = drafts.draw_ref(self._chance.bits) if earlier is None else earlier.head.ref
            new = imports.New(
                ref=ref,
                kind=kind,
                file_name=file_name,
                file_digest=digest,
                data=data,
                rows=len(plan.rows),
                good=len(plan.good),
                plan=plan.model_dump_json(),
                report=report.model_dump_json(),
            )
            if earlier is None:
                queues.refuse_full("sheets", imports.count(tx, "read", since=at - FILE_KEPT, scope=tenant.scope))
                imports.add(tx, new, by=asked.person, scope=tenant.scope, at=at)
            else:
                imports.reread(tx, earlier.head, new, scope=tenant.scope, at=at)
        return ref, earlier is None

    def listed(self, maker: Uscc, *, number: int = 1) -> tuple[Head, ...]:
        """Return one page of imports, and the first of the next page if any."""
        with self._database.read() as tx:
            return imports.page(tx, scope=parties.tenant(tx, maker).scope, number=number)

    def find(self, maker: Uscc, ref: str) -> Shown:
        """Return an import. NotFound."""
        with self._database.read() as tx:
            handed = imports.get(tx, ref, scope=parties.tenant(tx, maker).scope)
            names = {one.manufacturer.uscc: one.manufacturer.legal_name for one in parties.tenants(tx)}
        plan, waited = _plan(handed), self._clock() - handed.head.changed_at
        named = {row.maker for row in plan.rows} | {maker}
        return Shown(
            head=handed.head,
            plan=plan,
            report=Report.model_validate_json(handed.report),
            names={uscc: name for uscc, name in names.items() if uscc in named},
            has_file=handed.data is not None,
            file_until=handed.head.created_at + FILE_KEPT,
            is_still=handed.head.state == "running" and waited > STILL,
        )

    def file(self, maker: Uscc, ref: str) -> bytes:
        """Return the file that was handed in. NotFound; Conflict once it is deleted."""
        with self._database.read() as tx:
            data = imports.get(tx, ref, scope=parties.tenant(tx, maker).scope).data
        if data is None:
            raise Conflict(f"the file of import {ref} is deleted")
        return data

    def start(self, asked: Asked, ref: str, *, only_good: bool, size: int) -> bool:
        """
        Judge a sheet once more and start its import; False if there is more wrong with it now, and nothing started.

        A file that can be read no more ends it as failed, and its page says so.
        What is not done within the first rows is done by a job. Raises NotFound; Conflict once it runs; QueueFull.
        """
        at = self._clock()
        try:
            table = reading.read(self.file(asked.maker, ref))
        except RuleViolation as error:
            self._fail(asked, ref, Failure(code="sheet", words=str(error)[:400]))
            return True
        with self._database.write() as tx:
            tenant = parties.tenant(tx, asked.maker)
            handed = imports.get(tx, ref, scope=tenant.scope)
            if handed.head.state != "read":
                raise Conflict(f"import {ref} is {handed.head.state}")
            queues.refuse_full("imports", imports.count(tx, "running", since=at - FILE_KEPT, scope=tenant.scope))
            before, kind = Plan.model_validate_json(handed.plan), handed.head.kind
            plan, report = read_plan(table, COLUMNS[kind])
            plan, report = self._judging.judge(tx, kind, (plan, report), table, person=asked.person, own=tenant, at=at)
            is_worse = not plan.bad_rows <= before.bad_rows
            if is_worse or not plan.good or (plan.bad_rows and not only_good):
                imports.reread(tx, handed.head, _again(handed, plan, report), scope=tenant.scope, at=at)
                return False
            begun_with = promised(tx, {row.maker for row in plan.good})
            how = Chosen(only_good=only_good, size=size, at=at, commitments=begun_with)
            chosen = plan.model_copy(update={"chosen": how})
            imports.reread(tx, handed.head, _again(handed, chosen, report), scope=tenant.scope, at=at)
            imports.begin(tx, handed.head, rows=len(plan.good), by=asked.person, scope=tenant.scope, at=at)
            jobs.enqueue(tx, JOB, {"import": ref}, at=at)
        self.run(ref, most=AT_ONCE)
        return True

    def drop(self, asked: Asked, ref: str) -> None:
        """Drop an import that was not run. NotFound, Conflict."""
        with self._database.write() as tx:
            tenant = parties.tenant(tx, asked.maker)
            head = imports.get(tx, ref, scope=tenant.scope).head
            imports.finish(tx, head, state="dropped", by=asked.person, scope=tenant.scope, at=self._clock())

    def again(self, asked: Asked, ref: str) -> None:
        """Go on with an import that failed, where it stopped. NotFound; Conflict unless it failed and can go on."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, asked.maker)
            handed = imports.get(tx, ref, scope=tenant.scope)
            if not _may_go_on(handed):
                raise Conflict(f"import {ref} cannot go on")
            report = _reported(handed, None)
            imports.revive(tx, handed.head, report=report, by=asked.person, scope=tenant.scope, at=at)
            jobs.enqueue(tx, JOB, {"import": ref}, at=at)

    def revive(self, tx: Transaction, ref: str) -> None:
        """Let an import that failed run again, for its job is tried again; nothing for one that did not fail."""
        handed = imports.get(tx, ref, scope=_JOBS)
        if handed.head.state == "failed" and _may_go_on(handed):
            report, scope = _reported(handed, None), Scope.of(handed.head.manufacturer_id)
            imports.revive(tx, handed.head, report=report, by="signer", scope=scope, at=self._clock())

    def give_up(self, tx: Transaction, ref: str, failure: Failure) -> None:
        """End an import that runs as failed, with what failed; what it made so far stays."""
        handed = imports.get(tx, ref, scope=_JOBS)
        if handed.head.state == "running":
            report, scope = _reported(handed, failure), Scope.of(handed.head.manufacturer_id)
            imports.fail(tx, handed.head, report=report, by="signer", scope=scope, at=self._clock())

    def _fail(self, asked: Asked, ref: str, failure: Failure) -> None:
        at = self._clock()
        with self._database.write() as tx:
            scope = parties.tenant(tx, asked.maker).scope
            handed = imports.get(tx, ref, scope=scope)
            if handed.head.state != "read":
                raise Conflict(f"import {ref} is {handed.head.state}")
            report = _reported(handed, failure)
            imports.fail(tx, handed.head, report=report, by=asked.person, scope=scope, at=at)

    def run(self, ref: str, tell: Callable[[str], None] = jobs.unheard, *, most: int | None = None) -> str:
        """
        Go on with an import that runs, to its end or for about so many rows; return how far it is.

        One whose plan is damaged ends as failed: no later try would read it.
        """
        try:
            with self._database.read() as tx:
                plan = Plan.model_validate_json(imports.get(tx, ref, scope=_JOBS).plan)
        except ValidationError as error:
            with self._database.write() as tx:
                self.give_up(tx, ref, Failure(code="plan", words=f"{error.error_count()} faults in the plan"))
            return "given up: the plan is damaged"
        done_here = 0
        while True:
            with self._database.write() as tx:
                handed = imports.get(tx, ref, scope=_JOBS)
                head = handed.head
                if head.state != "running":
                    return f"{head.done} of {head.good} rows"
                step = self._step(tx, handed, plan)
            done_here += step
            tell(f"{head.done + step} of {head.good} rows")
            if most is not None and done_here >= most:
                return f"{head.done + step} of {head.good} rows"

    def prune(self) -> int:
        """Delete files that were handed in long ago; return how many."""
        with self._database.write() as tx:
            return imports.forget_files(tx, before=self._clock() - FILE_KEPT, scope=_MAINTENANCE)

    def _step(self, tx: Transaction, handed: Handed, plan: Plan) -> int:
        """Do the next draft's rows, or all of a production list, and return how many rows that were; end at the end."""
        head, scope, at = handed.head, Scope.of(handed.head.manufacturer_id), self._clock()
        report = Report.model_validate_json(handed.report)
        if head.kind == "production":
            production.put(tx, map(_built, plan.good), by=head.created_by, scope=scope, at=at)
            step = len(plan.good)
        else:
            groups = parted(plan.good, plan.chosen.size if plan.chosen else AT_ONCE)
            starts = (0, *accumulate(map(len, groups)))
            place = starts.index(head.done)
            step = len(groups[place])
            report = self._make(tx, handed.head, plan, groups[place], _title(head, groups, place), report)
        done = head.done + step
        imports.advance(tx, head, done=done, report=report.model_dump_json(), scope=scope, at=at)
        if done >= head.good:
            imports.finish(tx, head, state="done", by=head.created_by, scope=scope, at=at)
        return step

    def _make(
        self, tx: Transaction, head: Head, plan: Plan, group: tuple[SheetRow, ...], title: str, report: Report
    ) -> Report:
        """Make the draft of one group; rows whose vehicles came into a draft meanwhile are skipped and told."""
        tenant = parties.tenant(tx, group[0].maker)
        taken = imports.drafted(tx, {row.vin for row in group}, scope=tenant.scope)
        rows = tuple(row for row in group if row.vin not in taken)
        skipped = (*report.skipped, *(row.row for row in group if row.vin in taken))
        if not rows:
            return report.model_copy(update={"skipped": skipped})
        ref = drafts.draw_ref(self._chance.bits)
        promised = plan.chosen.commitments.get(group[0].maker) if plan.chosen else None
        body = draft_of(rows, tenant.manufacturer.legal_name, promised or DraftCommitment())
        drafts.create(
            tx,
            body,
            ref=ref,
            title=title,
            by=head.created_by,
            scope=tenant.scope,
            at=self._clock(),
            import_id=head.id,
        )
        made = DraftMade(ref=ref, maker=tenant.manufacturer.uscc, title=title, vehicles=len(rows))
        return report.model_copy(update={"skipped": skipped, "drafts": (*report.drafts, made)})


def _may_go_on(handed: Handed) -> bool:
    """Tell whether an import that failed has begun, and can go on where it stopped."""
    return handed.head.state == "failed" and _failure(handed) == "tries"


def _failure(handed: Handed) -> str:
    failure = _report(handed).failure
    return "" if failure is None else failure.code


def _plan(handed: Handed) -> Plan:
    """Return what a sheet says; nothing for an import that failed because just that is damaged."""
    if _failure(handed) == "plan":
        return Plan(form="csv", header_row=1, titles=(), places={}, rows=())
    return Plan.model_validate_json(handed.plan)


def _report(handed: Handed) -> Report:
    return Report.model_validate_json(handed.report)


def _reported(handed: Handed, failure: Failure | None) -> str:
    return _report(handed).model_copy(update={"failure": failure}).model_dump_json()


def promised(tx: Transaction, makers: AbstractSet[str]) -> dict[str, DraftCommitment]:
    """Return the commitment of each manufacturer's last draft that has one: a beginning, for people to check."""
    found: dict[str, DraftCommitment] = {}
    for maker in sorted(makers - {""}):
        scope = parties.tenant(tx, maker).scope
        for head in drafts.page(tx, scope=scope)[:_LOOKED_BACK]:
            commitment = drafts.get(tx, head.ref, scope=scope).body.commitment
            if commitment.text_zh.strip():
                found[maker] = commitment
                break
    return found


def _again(handed: Handed, plan: Plan, report: Report) -> imports.New:
    return imports.New(
        ref=handed.head.ref,
        kind=handed.head.kind,
        file_name=handed.head.file_name,
        file_digest=handed.head.file_digest,
        data=handed.data or b"",
        rows=len(plan.rows),
        good=len(plan.good),
        plan=plan.model_dump_json(),
        report=report.model_dump_json(),
    )


def _built(row: SheetRow) -> production.Built:
    built_on = parse_day(tidy(row.built_on)) if row.built_on.strip() else None
    return production.Built(vin=Vin(row.vin), model=tidy(row.vehicle.model), built_on=built_on)


def _title(head: Head, groups: Sequence[tuple[SheetRow, ...]], place: int) -> str:
    """Return a draft's title: contract and destination, or the file's name; with its turn where there are several."""
    first = groups[place][0]
    country = country_code(tidy(first.country)) or tidy(first.country)
    name = " · ".join(part for part in (tidy(first.contract), country) if part) or PurePath(head.file_name).stem
    same = [turn for turn, group in enumerate(groups) if group[0].key == first.key]
    return name if len(same) == 1 else f"{name} ({same.index(place) + 1}/{len(same)})"
