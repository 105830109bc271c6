"""What ends a confirmation takes two people, and touches exactly what both were shown."""

from __future__ import annotations

import sqlite3

import approvals
import psycopg
import pytest
from approvals import CHEN, LIN
from world import BEICHEN, EMIRATES, KAZAKHSTAN, World, fresh, sample

from signer.domain.confirmation import Standing
from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted

BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@pytest.fixture
def database() -> str:
    """SQLite, but for what depends on the database: that says BOTH."""
    return "sqlite"


@BOTH
def test_a_withdrawal_is_asked_by_one_and_done_by_another(world: World) -> None:
    issued, maker = world.issue(sample(KAZAKHSTAN)), approvals.maker(world)
    vins = [each["vin"] for each in sample(KAZAKHSTAN)["vehicles"]]
    confirming = world.services.confirming
    world.give("approver", CHEN)
    wish = confirming.ask_withdrawal(maker, issued.number, vins=vins[:1], reason="error", by=CHEN)
    assert world.verify(issued.pdf).code is Code.VALID
    with pytest.raises(NotPermitted):
        confirming.agree(maker, wish.ref, by=CHEN, factor="totp")
    with pytest.raises(Conflict):
        confirming.ask_withdrawal(maker, issued.number, vins=vins[1:], reason="error", by=LIN)
    confirming.agree(maker, wish.ref, by=LIN, factor="totp")
    standings = {line.vin: line.standing for line in confirming.whole(maker, issued.number).record.lines}
    assert [standings[vin] for vin in vins] == [Standing.WITHDRAWN, Standing.ISSUED, Standing.ISSUED]
    with pytest.raises(Conflict):
        confirming.agree(maker, wish.ref, by=LIN, factor="totp")
    told = f"decided_by = '{CHEN}', outcome = 'done', factor = 'x', decided_at = asked_at"
    later = confirming.ask_withdrawal(maker, issued.number, vins=vins[1:], reason="error", by=CHEN)
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.IntegrityError)):
        world.change(f"UPDATE second_words SET {told} WHERE ref = '{later.ref}'")


def test_the_effect_names_exactly_what_would_end_and_what_stays(world: World) -> None:
    issued, maker = world.issue(sample(KAZAKHSTAN)), approvals.maker(world)
    vins = [each["vin"] for each in sample(KAZAKHSTAN)["vehicles"]]
    effect = world.services.confirming.effect(maker, issued.number, vins[1:2])
    assert ([line.vin for line in effect.ended], [line.vin for line in effect.left]) == (vins[1:2], [vins[0], vins[2]])
    for wrong in ([], [*vins, "LYUNZHOU000000000"]):
        with pytest.raises(InvalidInput):
            world.services.confirming.effect(maker, issued.number, wrong)


def test_what_is_dropped_ends_nothing(world: World) -> None:
    issued, maker = world.issue(sample(KAZAKHSTAN)), approvals.maker(world)
    vin = sample(KAZAKHSTAN)["vehicles"][0]["vin"]
    wish = world.services.confirming.ask_withdrawal(maker, issued.number, vins=[vin], reason="error", by=CHEN)
    world.services.confirming.drop(maker, wish.ref, by=CHEN)
    with pytest.raises(Conflict):
        world.services.confirming.agree(maker, wish.ref, by=LIN, factor="totp")
    assert world.verify(issued.pdf).code is Code.VALID


def test_a_line_that_ended_meanwhile_ends_nothing_more(world: World) -> None:
    first, maker = world.issue(sample(KAZAKHSTAN)), approvals.maker(world)
    vins = [each["vin"] for each in sample(KAZAKHSTAN)["vehicles"]]
    wish = world.services.confirming.ask_withdrawal(maker, first.number, vins=vins, reason="error", by=CHEN)
    world.issue({**sample(KAZAKHSTAN), "supersedes": first.number})
    with pytest.raises(Conflict):
        world.services.confirming.agree(maker, wish.ref, by=LIN, factor="totp")
    assert [one.ref for one in world.services.confirming.wishes(maker)] == [wish.ref]


def test_lists_are_found_by_number_vin_and_exporter_and_go_on_page_by_page(world: World) -> None:
    maker, confirming = approvals.maker(world), world.services.confirming
    issued = [world.issue(fresh(KAZAKHSTAN, turn)) for turn in range(3)]
    for one in issued:
        assert [row.number for row in confirming.listed(maker, typed=one.number.lower())[0]] == [one.number]
    vin = fresh(KAZAKHSTAN, 1)["vehicles"][2]["vin"]
    assert [row.number for row in confirming.listed(maker, typed=vin)[0]] == [issued[1].number]
    exporter = confirming.whole(maker, issued[0].number).record.whole.terms.exporter
    for typed in (exporter.uscc, exporter.legal_name[:4]):
        assert len(confirming.listed(maker, typed=typed)[0]) == 3
    for typed in ("nobody", "%", "'; DROP TABLE x", "legal_name", "LZZZZZZZZZZZZZZZZ", "_" * 5000):
        assert confirming.listed(maker, typed=typed) == ((), False)
    rows, _ = confirming.listed(maker, typed="\x00\u202e")
    assert [row.number for row in rows] == [one.number for one in reversed(issued)]
    following, has_more = confirming.listed(maker, after=rows[0].number)
    assert ([row.number for row in following], has_more) == ([row.number for row in rows[1:]], False)


def test_another_makers_confirmation_is_not_there(world: World) -> None:
    issued, theirs = world.issue(sample(KAZAKHSTAN)), approvals.maker(world, BEICHEN)
    world.issue(sample(EMIRATES))
    confirming = world.services.confirming
    wish = confirming.ask_withdrawal(
        approvals.maker(world),
        issued.number,
        vins=[sample(KAZAKHSTAN)["vehicles"][0]["vin"]],
        reason="error",
        by=CHEN,
    )
    for act in (
        lambda: confirming.whole(theirs, issued.number),
        lambda: confirming.file(theirs, issued.number, "sealed"),
        lambda: confirming.listed(theirs, after=issued.number),
        lambda: confirming.agree(theirs, wish.ref, by="sun.sample", factor="totp"),
        lambda: confirming.drop(theirs, wish.ref, by="he.sample"),
        lambda: confirming.whole(theirs, "nonsense"),
    ):
        with pytest.raises(NotFound):
            act()
    assert confirming.listed(theirs, typed=issued.number) == ((), False)
