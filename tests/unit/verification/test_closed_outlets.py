"""An outlet that closes ends no confirmation: who verifies is told since when, and nothing else changes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
import world as worlds
from world import EMIRATES, KAZAKHSTAN, World, sample

from signer.domain.evidence import ClosedOutlet, Facts, RecordFacts, State
from signer.domain.outlet_choice import OutletFacts
from signer.domain.verdict import Code
from signer.register import lookup, outlets
from signer.register.scope import Scope
from signer.verification import wording
from signer.verification.decide import decide
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

SINCE = ClosedOutlet(id="kz-almaty", since=date(2026, 11, 20))


@pytest.fixture(scope="module")
def world(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(worlds.copy(template_folder, tmp_path_factory.mktemp("closed") / "data"))


@pytest.fixture(scope="module")
def pdf(world: World) -> bytes:
    return world.issue(sample(KAZAKHSTAN)).pdf


@pytest.fixture(scope="module")
def facts(world: World, pdf: bytes) -> Facts:
    return world.services.verifying.gather(pdf)


def with_record(facts: Facts, **changes: object) -> Facts:
    record = facts.register_.record
    assert record is not None
    register = facts.register_.model_copy(update={"record": record.model_copy(update=changes)})
    return facts.model_copy(update={"register_": register})


def judged(facts: Facts):  # noqa: ANN201
    return decide(facts, worlds.Asked(), Policy(mode="test"))


def test_without_a_closing_nothing_is_added(facts: Facts) -> None:
    found = judged(facts)
    assert found.code is Code.VALID
    assert "outlets" not in {check.id for check in found.checks}
    assert found.closed_outlets == ()


def test_a_closed_outlet_is_a_notice_and_takes_nothing_from_the_three_answers(facts: Facts) -> None:
    found = judged(with_record(facts, closed_outlets=(SINCE,)))
    assert (found.code, found.notices) == (Code.VALID_WITH_NOTICE, ("OUTLET_CLOSED",))
    assert found.parts == judged(facts).parts
    assert found.closed_outlets == (SINCE,)
    assert "closed since" in wording.sentence(found, "en")
    assert "关闭" in wording.sentence(found, "zh")


def test_a_file_that_is_not_on_record_learns_nothing_of_the_outlets(facts: Facts) -> None:
    found = judged(with_record(facts, closed_outlets=(SINCE,), sealed_digests=()))
    assert found.code is Code.NOT_REGISTERED
    assert "OUTLET_CLOSED" not in found.notices
    assert "kz-almaty" not in found.model_dump_json()


def test_closed_outlets_are_not_shown_with_a_file_whose_integrity_or_seal_is_not_proven(facts: Facts) -> None:
    closed = with_record(facts, closed_outlets=(SINCE,))
    for which in ("digest", "chain"):
        for state in (State.FAILED, State.UNDETERMINED):
            findings = tuple(
                one.model_copy(update={"state": state}) if one.id == which else one for one in closed.seal.findings
            )
            seal = closed.seal.model_copy(update={"findings": findings})
            found = judged(closed.model_copy(update={"seal": seal}))
            assert found.closed_outlets == ()
            assert "kz-almaty" not in found.model_dump_json()
            assert "OUTLET_CLOSED" not in found.notices


def test_the_register_tells_from_the_first_closed_day_on_and_only_the_makers_own(world: World, pdf: bytes) -> None:
    (number,) = (row[0] for row in world.rows("SELECT number FROM confirmations"))
    other = world.issue(sample(EMIRATES)).number
    tomorrow = date(2026, 11, 23)
    with world.services.database.write() as tx:
        outlets.save_facts(tx, "kz-almaty", OutletFacts(closed_on=tomorrow), scope=Scope.of(1), at=world.at)
        outlets.save_facts(tx, "kz-astana", OutletFacts(closed_on=SINCE.since), scope=Scope.of(2), at=world.at)
    day_before = world.at.replace(hour=15, minute=59)
    assert record(world, number, day_before).closed_outlets == ()
    first_day = world.at.replace(hour=16, minute=0)
    assert record(world, number, first_day).closed_outlets == (ClosedOutlet(id="kz-almaty", since=tomorrow),)
    assert record(world, other, first_day).closed_outlets == ()
    world.at = first_day
    assert world.verify(pdf).code is Code.VALID_WITH_NOTICE
    tail = sample(KAZAKHSTAN)["vehicles"][0]["vin"][-6:]
    looked_up = world.services.lookups.by_tail(number, tail, network="n")
    assert (looked_up.code, looked_up.notices) == (Code.ON_RECORD, ("OUTLET_CLOSED",))


def record(world: World, number: str, at: worlds.datetime) -> RecordFacts:
    with world.services.database.read() as tx:
        found = lookup.by_number(tx, number, scope=Scope.everything("a test"), at=at)  # type: ignore[arg-type]
    assert found is not None
    return found
