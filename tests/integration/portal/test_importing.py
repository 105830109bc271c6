"""A preparer hands in a spreadsheet: every wrong cell is told by row and column, and nothing is half imported."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from handing_in import HEADER, OWN, USCC, as_csv, as_xlsx, drafted, find, rows, spoilt
from world import BEICHEN, KAZAKHSTAN, YUNZHOU, World, as_bytes, fresh

from signer.domain.drafting import parse_draft
from signer.sheets import task

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal import Portal, Visitor

AT = f"/portal/{OWN.maker}/imports"
FORMS: dict[str, Callable[[list[list[Any]]], bytes]] = {
    "xlsx": as_xlsx,
    "utf-8-sig": as_csv,
    "gb18030": lambda made: as_csv(made, encoding="gb18030"),
}


def upload(visitor: Visitor, data: bytes, name: str = "车辆.xlsx", **more: str) -> Any:
    return visitor.post(AT, {"sheet": (io.BytesIO(data), name), "kind": "vehicles", **more})


@pytest.mark.parametrize("form", FORMS)
def test_fifty_rows_with_two_bad_vins_a_duplicate_an_impossible_day_and_a_serial_date(
    world: World, chen: Visitor, form: str
) -> None:
    """The fifth acceptance story: a report by row and column, nothing half imported."""
    answer = upload(chen, FORMS[form](spoilt(rows(50))))
    assert answer.status_code == 303
    ref = answer.location.rpartition("/")[2]
    shown = find(world, ref)
    told = {said.place: (said.rule, said.header) for said in shown.report.said if said.severity == "violation"}
    assert told == {
        "A4": ("vin.check-digit", "车架号"),
        "A6": ("vin.look-alike", "车架号"),
        "A8": ("vin.twice", "车架号"),
        "D10": ("date.invalid", "首次登记日期"),
    }
    serial = [said for said in shown.report.said if said.rule == "cell.serial-day"]
    assert [(said.place, said.severity) for said in serial] == [("D12", "warning")]
    assert "2026-09-01" in serial[0].en
    assert (shown.head.rows, shown.head.good) == (50, 46)
    page = chen.get(answer.location).text
    for place in ("A4", "A6", "A8", "D10", "D12", "2026/2/30"):
        assert f">{place}</code>" in page
    again = chen.post(f"{answer.location}/run", {"size": "20"})
    assert again.status_code == 422
    assert "nothing was imported" in again.text
    assert drafted(world) == []
    assert world.rows("SELECT count(*) FROM drafts") == [(0,)]


def test_only_the_good_rows_are_imported_when_that_is_chosen(world: World, chen: Visitor) -> None:
    made = spoilt(rows(50))
    at = upload(chen, as_xlsx(made)).location
    answer = chen.post(f"{at}/run", {"size": "20", "only_good": "yes"})
    assert (answer.status_code, answer.location) == (303, f"{at}?done=imports.begun")
    assert drafted(world) == sorted(row[0] for turn, row in enumerate(made) if turn not in (2, 4, 6, 8))
    shown = find(world, at.rpartition("/")[2])
    assert [one.vehicles for one in shown.report.drafts] == [20, 20, 6]
    page = chen.get(at).text
    assert all(f"/drafts/{one.ref}" in page for one in shown.report.drafts)


def test_drafts_begin_with_the_commitment_of_the_last_draft(world: World, chen: Visitor) -> None:
    body = parse_draft(as_bytes(fresh(KAZAKHSTAN, 700)))
    world.services.drafting.begin(OWN.maker, by=OWN.person, body=body)
    at = upload(chen, as_csv(rows(25))).location
    chen.post(f"{at}/run", {"size": "20"})
    for made in find(world, at.rpartition("/")[2]).report.drafts:
        kept = world.services.drafting.find(OWN.maker, made.ref)
        assert kept.body.commitment == body.commitment
        assert kept.head.import_id == 1
    assert "commitment is that of your last draft" in chen.get(at).text


def test_the_rows_left_out_come_back_with_reasons_and_can_be_handed_in_once_mended(world: World, chen: Visitor) -> None:
    at = upload(chen, as_xlsx(spoilt(rows(50)))).location
    chen.post(f"{at}/run", {"size": "20", "only_good": "yes"})
    answer = chen.get(f"{at}/reasons?form=csv&words=en")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    table = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert table[0] == [*HEADER, "to correct"]
    assert [row[0][:2] for row in table[1:]] == ["L0", "LO", "L0", "L0"]
    assert "position 9" in table[1][-1].lower() or "check" in table[1][-1].lower()
    for row, good in zip(table[1:], rows(4, start=900), strict=True):
        row[0], row[3] = good[0], good[3]
    again = upload(chen, as_csv(table[1:], header=tuple(table[0])), "mended.csv").location
    assert find(world, again.rpartition("/")[2]).plan.bad_rows == frozenset()
    chen.post(f"{again}/run", {"size": "20"})
    assert len(drafted(world)) == 50


def test_before_a_run_the_whole_sheet_comes_back_with_reasons(world: World, chen: Visitor) -> None:
    at = upload(chen, as_csv(spoilt(rows(50)), encoding="gb18030"), "x.csv").location
    table = task.read(chen.get(f"{at}/reasons?form=xlsx&words=zh").data)
    assert len(table.rows) == 51
    assert [row.number for row in table.rows if len(row.cells) == len(HEADER) + 1] == [1, 4, 6, 8, 10, 12]


def test_a_vehicle_in_force_or_in_a_draft_is_told(world: World, chen: Visitor) -> None:
    made = rows(3)
    plain = fresh(KAZAKHSTAN, 0)
    world.issue(plain)
    upload_first = upload(chen, as_csv(made[1:2]), "first.csv").location
    chen.post(f"{upload_first}/run", {"size": "20"})
    at = upload(chen, as_csv(made), "second.csv").location
    told = {said.place: said.rule for said in find(world, at.rpartition("/")[2]).report.said if said.row}
    assert told["A2"] == "vin.live"
    assert told["A3"] == "vin.drafted"
    assert "A4" not in told


def test_one_sheet_splits_by_manufacturer_exporter_and_destination(world: World, portal: Portal) -> None:
    both = as_bytes({"memberships": [{"person": OWN.person, "manufacturer": USCC[BEICHEN], "roles": ["preparer"]}]})
    world.services.people.load(both, actor="test")
    chen = portal.visitor(OWN.person)
    made = [*rows(3), *rows(2, start=50, maker=BEICHEN, country="RU"), *rows(1, start=80, country="哈萨克斯坦")]
    at = upload(chen, as_csv(made), "both.csv").location
    shown = find(world, at.rpartition("/")[2])
    assert shown.plan.bad_rows == frozenset()
    page = chen.get(at).text
    assert BEICHEN in page
    chen.post(f"{at}/run", {"size": "20"})
    found = [(one.maker, one.vehicles) for one in find(world, at.rpartition("/")[2]).report.drafts]
    assert found == [(USCC[YUNZHOU], 4), (USCC[BEICHEN], 2)]


def test_another_manufacturers_rows_are_told_and_not_imported(world: World, chen: Visitor) -> None:
    at = upload(chen, as_csv([*rows(2), *rows(1, start=50, maker=BEICHEN)]), "x.csv").location
    shown = find(world, at.rpartition("/")[2])
    assert [said.place for said in shown.report.said if said.rule == "issuer.name"] == ["E4"]
    assert "another manufacturer" in chen.get(at).text
    chen.post(f"{at}/run", {"size": "20", "only_good": "yes"})
    assert world.rows("SELECT DISTINCT manufacturer_id FROM drafts") == [(1,)]
    assert len(drafted(world)) == 2


def test_cells_that_look_like_formulas_are_text_on_every_way(world: World, chen: Visitor) -> None:
    made = rows(2)
    made[0][8] = "=cmd|' /C calc'!A0"
    made[1][8], made[1][1] = "@SUM(1)", ""
    for form, data in (("csv", as_csv(made)), ("xlsx", as_xlsx(made))):
        at = upload(chen, data, f"x.{form}").location
        answer = chen.get(f"{at}/reasons?form=csv").data.decode("utf-8-sig")
        for row in csv.reader(io.StringIO(answer)):
            assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in row)
        cells = task.read(chen.get(f"{at}/reasons?form=xlsx").data).rows[1].cells
        assert cells[8].text == made[0][8]
        assert find(world, at.rpartition("/")[2]).plan.rows[0].vehicle.colour == made[0][8]


def test_hostile_text_is_shown_as_text(chen: Visitor) -> None:
    made = rows(1)
    made[0][2] = "<svg onload=alert(1)>\u202e" + "x" * 5000
    header = (*HEADER[:9], "<b>\u202eodd</b>")
    at = upload(chen, as_csv(made, header=header), '"><script>x.csv').location
    page = chen.get(at).text
    assert "<svg" not in page
    assert "<script>x" not in page
    assert "\u202e" not in page
    assert "[U+202E]" in page
    assert "at most 1000" in page.replace(",", "") or "more than 1000" in page.replace(",", "")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "Choose the file"),
        (b"%PDF-1.7 x", "neither an .xlsx nor a CSV"),
        (b"a,b\n1,2", "No header was found"),
        (as_csv([]), "nothing below the header"),
        (as_csv(rows(1), header=("车架号", *["?"] * 9)), "is missing"),
    ],
)
def test_what_is_no_sheet_is_refused_beside_the_field(world: World, chen: Visitor, data: bytes, says: str) -> None:
    answer = upload(chen, data)
    assert answer.status_code == 422
    assert says in answer.text
    assert 'href="#sheet"' in answer.text
    assert world.rows("SELECT count(*) FROM imports") == [(0,)]


def test_a_draft_has_from_one_to_two_hundred_vehicles(world: World, chen: Visitor) -> None:
    at = upload(chen, as_csv(rows(1))).location
    for typed in ("0", "201", "", "x", "²", "9" * 400):
        answer = chen.post(f"{at}/run", {"size": typed})
        assert (answer.status_code, 'href="#size"' in answer.text) == (422, True), typed
    assert drafted(world) == []


def test_the_same_file_again_shows_the_earlier_import(chen: Visitor) -> None:
    data = as_csv(rows(2))
    first = upload(chen, data).location
    assert upload(chen, data).location == f"{first}?done=imports.known"
    assert "handed in before" in chen.get(f"{first}?done=imports.known").text


def test_a_dropped_sheet_is_gone_from_the_list(chen: Visitor) -> None:
    at = upload(chen, as_csv(rows(2)), "weg.csv").location
    assert "weg.csv" in chen.get(AT).text
    assert chen.post(f"{at}/drop").location == f"{AT}?done=imports.dropped"
    assert "weg.csv" not in chen.get(AT).text


def test_a_page_of_a_running_import_looks_again_by_itself(world: World, chen: Visitor) -> None:
    at = upload(chen, as_csv(rows(2))).location
    world.change("UPDATE imports SET state = 'running', done = 1")
    answer = chen.get(at)
    assert answer.headers["Refresh"] == f"4; url={at}"
    assert "<progress" in answer.text
    assert "stood still" not in answer.text
    world.at += timedelta(minutes=11)
    assert "stood still" in chen.get(at).text


@pytest.mark.parametrize("kind", ["vehicles", "production"])
@pytest.mark.parametrize("words", ["zh", "en"])
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_template_that_is_filled_in_has_every_column_known(chen: Visitor, kind: str, words: str, form: str) -> None:
    answer = chen.get(f"{AT}/template?kind={kind}&form={form}&words={words}")
    assert answer.status_code == 200
    titles = [cell.text for cell in task.read(answer.data).rows[0].cells]
    first = rows(1)[0]
    at = chen.post(
        AT, {"sheet": (io.BytesIO(as_csv([[first[0]]], header=tuple(titles))), "t.csv"), "kind": kind}
    ).location
    assert "not known" not in chen.get(at).text


def test_a_production_list_is_handed_in_where_it_is_shown(world: World, chen: Visitor) -> None:
    assert f'href="{AT}?kind=production"' in chen.get(f"/portal/{OWN.maker}/production").text
    assert 'value="production" checked' in chen.get(f"{AT}?kind=production").text
    one = rows(1)[0]
    at = upload(chen, as_csv([[one[0], one[2], "2026/8/15"]], header=("VIN", "型号", "生产日期")), kind="production")
    chen.post(f"{at.location}/run", {"size": "20"})
    assert f'href="/portal/{OWN.maker}/production"' in chen.get(at.location).text
    assert "2026-08-15" in chen.get(f"/portal/{OWN.maker}/production").text


def test_only_preparers_hand_in_and_admins_look_on(world: World, portal: Portal) -> None:
    world.give("admin", "only.admin")
    admin = portal.visitor("only.admin")
    page = admin.get(AT)
    assert (page.status_code, 'name="sheet"' in page.text) == (200, False)
    assert upload(admin, as_csv(rows(1))).status_code == 403
