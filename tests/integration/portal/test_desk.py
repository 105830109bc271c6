"""The desk shows the register's own numbers, whoever has counted them, and says what to do where there is nothing."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from objects import OWN
from world import BEICHEN, EMIRATES, KAZAKHSTAN, YUNZHOU, World, fresh

from signer.register.tally import Tally
from signer.web.portal import charts

if TYPE_CHECKING:
    from portal import Portal, Visitor


def rows(page: str) -> dict[str, int]:
    return {label: int(count) for label, count in re.findall(r"<tr><td>([^<]+)</td><td>(\d+)</td></tr>", page)}


@pytest.mark.parametrize("counts", [(), (2,), (0, 1, 2), (2, 2)])
def test_the_charts_say_what_the_register_holds_whenever_it_was_counted(
    world: World, portal: Portal, counts: tuple[int, ...]
) -> None:
    for turn in range(3):
        world.issue(fresh(KAZAKHSTAN, turn))
        if turn in counts:
            for _ in range(counts.count(turn)):
                world.services.glancing.tally()
    world.issue(fresh(EMIRATES, 0), by=BEICHEN)
    told = rows(portal.visitor("lin.sample").get(f"/portal/{OWN}").text)
    assert (told["2026-11"], told["Kazakhstan"]) == (3, 3)
    assert "United Arab Emirates" not in told
    assert sum(told.values()) == 6
    issued = world.services.glancing.glance(YUNZHOU).issued
    ((vehicles,),) = world.rows(
        "SELECT count(*) FROM lines JOIN confirmations c ON c.id = confirmation_id WHERE manufacturer_id = 1"
    )
    assert sum(one.vehicles for one in issued) == vehicles


def test_a_month_is_beijings(world: World) -> None:
    world.at = world.at.replace(day=30, hour=16, minute=30)
    world.issue(fresh(KAZAKHSTAN, 0))
    assert [one.month for one in world.services.glancing.glance(YUNZHOU).issued] == ["2026-12"]


def test_an_empty_desk_says_what_to_do_next_and_draws_nothing(lin: Visitor) -> None:
    page = lin.get(f"/portal/{OWN}").text
    assert "What to do next" in page
    assert "<svg class" not in page


def test_the_chart_has_a_title_a_description_a_table_and_no_style_of_its_own(world: World, lin: Visitor) -> None:
    world.issue(fresh(KAZAKHSTAN, 0))
    page = lin.get(f"/portal/{OWN}").text
    assert page.count('<svg class="chart" role="img"') == page.count("<desc ") == 2
    assert "style=" not in page


def test_what_a_desk_asks_uses_indexes(world: World) -> None:
    plans = {
        "SELECT max(through) FROM tallies": "tallies",
        "SELECT u.id FROM seal_uses u JOIN confirmations c ON c.number = u.number WHERE u.id > 9": "PRIMARY KEY",
        "SELECT seal_digest, count(*) FROM seal_uses WHERE manufacturer_id = 1 GROUP BY seal_digest": "COVERING INDEX",
        "SELECT state, count(*) FROM drafts WHERE manufacturer_id = 1 GROUP BY state": "INDEX",
        "SELECT count(*) FROM suspicions WHERE manufacturer_id = 1 AND settled_at IS NULL": "INDEX",
    }
    for query, wanted in plans.items():
        plan = " ".join(str(row[3]) for row in world.rows(f"EXPLAIN QUERY PLAN {query}"))
        assert wanted in plan, plan
        assert "SCAN seal_uses" not in plan
        assert "SCAN c" not in plan


def test_people_are_written_to_once_at_each_step_before_a_seal_ends(world: World, portal: Portal, lin: Visitor) -> None:
    seal = world.services.seal_keeping.all(YUNZHOU)[0]
    assert seal.not_after is not None
    for days, mails in ((91, 0), (89, 1), (60, 1), (29, 2), (6, 3), (5, 3)):
        world.at = seal.not_after - timedelta(days=days)
        world.publish()
        world.services.glancing.remind()
        assert world.rows("SELECT count(*) FROM mails WHERE kind = 'seal-expiring'") == [(mails,)], days
    assert world.rows("SELECT DISTINCT recipient FROM mails WHERE kind = 'seal-expiring'") == [
        ("lin.sample@example.com",)
    ]
    del portal, lin


tallies = st.lists(
    st.builds(
        Tally,
        month=st.sampled_from(["2026-11", "2026-01", "2025-12", "2025-11"]),
        country=st.sampled_from(["KZ", "RU", "AE", "MX", "BR", "CL", "PE", "EG", "NG", "ZA"]),
        confirmations=st.integers(1, 10**6),
        vehicles=st.integers(1, 10),
    )
).map(tuple)


@given(tallies)
def test_bars_leave_nothing_out_and_none_is_longer_than_the_chart(issued: tuple[Tally, ...]) -> None:
    countries, months = charts.by_country(issued), charts.by_month(issued, today=date(2026, 11, 30))
    assert sum(bar.count for bar in countries) == sum(one.confirmations for one in issued)
    assert sum(bar.count for bar in months) == sum(one.confirmations for one in issued if one.month != "2025-11")
    assert len(countries) <= charts.MOST_COUNTRIES
    assert [bar.label for bar in months][::11] == ["2025-12", "2026-11"]
    assert all(0 <= bar.length <= 100 for bar in (*countries, *months))


@pytest.mark.parametrize(("path", "room"), [("", ""), ("/alarms", "/alarms"), ("/production", "/drafts")])
def test_every_page_of_a_manufacturer_stands_in_one_room(lin: Visitor, path: str, room: str) -> None:
    page = lin.get(f"/portal/{OWN}{path}").text
    assert re.findall(r'href="([^"]+)" aria-current="page"', page.split("<main")[0]) == [f"/portal/{OWN}{room}"]


@pytest.mark.parametrize(("path", "leads"), [(f"/portal/{OWN}/nothing", "/portal"), ("/nothing", "/verify")])
def test_an_error_leads_back_to_where_one_was(lin: Visitor, path: str, leads: str) -> None:
    assert re.search(r'class="button primary" href="([^"?]+)', lin.get(path).text)[1] == leads  # type: ignore[index]
