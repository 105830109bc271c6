"""A filed copy is never better than the sealed file over the same record, and never worse: only the standing speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import KAZAKHSTAN, World, sample

from signer.domain.confirmation import Standing
from signer.domain.evidence import Asked, CopyFacts, Facts, Gap, RecordFacts, State
from signer.domain.verdict import Code, Colour, Verdict
from signer.verification.decide import decide
from signer.verification.policy import Policy
from signer.verification.record import official_copy

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

CALM = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
GREEN = {Code.VALID, Code.VALID_WITH_NOTICE}
STANDINGS = (Standing.ISSUED, Standing.SUSPENDED, Standing.SUPERSEDED, Standing.WITHDRAWN)


@pytest.fixture(scope="module")
def sealed(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """The facts of the sealed file."""
    made = World(worlds.copy(template_folder, tmp_path_factory.mktemp("copy") / "data"))
    facts = made.services.verifying.gather(made.issue(sample(KAZAKHSTAN)).pdf)
    made.services.database.close()
    return facts


def copy_of(facts: Facts) -> CopyFacts:
    """The facts of an official copy over the same record, at the same time."""
    assert facts.register_.record is not None
    return CopyFacts(
        at=facts.at,
        today=facts.today,
        file=facts.file.model_copy(update={"sealed_digest": None}),
        filed_at=facts.at,
        record=facts.register_.record,
        test=facts.trust.test,
        trust_list=facts.trust.sequence,
    )


def with_record(facts: Facts, **changes: Any) -> Facts:
    assert facts.register_.record is not None
    record = facts.register_.record.model_copy(update=changes)
    return facts.model_copy(update={"register_": facts.register_.model_copy(update={"record": record})})


def _changed(facts: Facts, standings: tuple[Standing, ...], conflicts: tuple[bool, ...], *, is_gap: bool) -> Facts:
    record = facts.register_.record
    assert record is not None
    lines = tuple(
        line.model_copy(
            update={"standing": standing, "is_conflict": conflict, "ended_at": facts.at, "reason_class": "error"}
        )
        for line, standing, conflict in zip(record.lines, standings, conflicts, strict=True)
    )
    gaps = (Gap(since=record.confirmation.issued_at, until=facts.at),) if is_gap else ()
    return with_record(facts, lines=lines, gaps=gaps)


@st.composite
def questions(draw: st.DrawFn, record: RecordFacts, today: date) -> Asked:
    """What may be asked of a record: some of its VINs or a stranger's, its country or another, and so on."""
    terms = record.confirmation.terms
    vins = draw(st.lists(st.sampled_from([*terms.vins, "1M8GDM9AXKP042788"]), unique=True, max_size=4))
    return Asked(
        vins=tuple(vins),
        destination=draw(st.sampled_from([None, terms.destination.country.alpha2, "UZ"])),
        exporter=draw(st.sampled_from([None, terms.exporter.uscc, worlds.HAIYI])),
        applied_on=draw(st.sampled_from([None, today, today.replace(year=2199)])),
    )


@CALM
@given(data=st.data())
def test_over_the_same_record_copy_and_sealed_file_have_one_colour_and_one_reason(
    sealed: Facts, data: st.DataObject
) -> None:
    standings = data.draw(st.tuples(*[st.sampled_from(STANDINGS)] * 3))
    conflicts = data.draw(st.tuples(*[st.booleans()] * 3))
    facts = _changed(sealed, standings, conflicts, is_gap=data.draw(st.booleans()))
    assert facts.register_.record is not None
    asked = data.draw(questions(facts.register_.record, facts.today))
    policy = Policy(mode="test")
    file, copy = decide(facts, asked, policy), official_copy(copy_of(facts), asked, policy)
    assert copy.code is (Code.OFFICIAL_COPY if file.code in GREEN else file.code)
    if file.code not in GREEN:
        assert copy.reason == file.reason
    for told in ("coverage", "number", "confirmation", "lines", "ended_at", "end_reason", "successor"):
        assert getattr(copy, told) == getattr(file, told), told


def verdict(facts: Facts, *, mode: str = "test") -> Verdict:
    return official_copy(copy_of(facts), Asked(), Policy(mode=mode))  # type: ignore[arg-type]


def test_what_no_one_examined_stays_undetermined_and_no_time_is_claimed(sealed: Facts) -> None:
    found = verdict(sealed)
    assert (found.code, found.parts.integrity, found.parts.seal) == (
        Code.OFFICIAL_COPY,
        State.PASSED,
        State.UNDETERMINED,
    )
    assert (found.seal_report, found.sealed_at, found.proven_at, found.proven_by) == (None, None, None, None)
    assert [check.id for check in found.checks] == ["official-copy", "standing", "vin-conflict", "until"]


def test_a_test_record_has_no_effect_in_production(sealed: Facts) -> None:
    production = sealed.model_copy(update={"trust": sealed.trust.model_copy(update={"test": False})})
    found = verdict(production, mode="production")
    assert (found.code, found.would_be, found.code.colour) == (Code.TEST_ONLY, Code.OFFICIAL_COPY, Colour.GREY)
    assert verdict(production).test
