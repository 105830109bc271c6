"""An exporter has the papers that were issued to it, by any manufacturer, and nobody else's."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import exporting
import pytest
import python_calamine
import world as worlds
from objects import OWN
from portal import Portal

from signer.domain.parties import Uscc
from signer.errors import NotFound
from signer.register import exporters, parties, restores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portal import Visitor

    from signer.domain.number import Number

TIANSHAN, HAIYI = worlds.TIANSHAN, worlds.HAIYI
HOME = f"/exporter/{TIANSHAN}/papers"
CHEN, LIN = worlds.PEOPLE[worlds.YUNZHOU]


@dataclass
class Case:
    """Papers of two manufacturers for one exporter, one for another, and people of both exporters."""

    portal: Portal
    mine: Number
    beichens: Number
    others: Number
    zhao: Visitor
    stranger: Visitor


@pytest.fixture(scope="module")
def case(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    world = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("papers") / "data"))
    portal = Portal.of(world)
    hostile = {**worlds.fresh(worlds.KAZAKHSTAN, 1), "exporter": TIANSHAN}
    hostile["vehicles"][0]["brand"] = "=cmd|'/C calc'!A0"
    mine = world.issue(hostile).number
    beichens = world.issue({**worlds.fresh(worlds.EMIRATES, 1), "exporter": TIANSHAN}).number
    others = world.issue({**worlds.fresh(worlds.KAZAKHSTAN, 2), "exporter": HAIYI}).number
    exporting.accept(world, TIANSHAN, worlds.YUNZHOU, worlds.BEICHEN, person="zhao.sample")
    exporting.accept(world, HAIYI, worlds.YUNZHOU, person="qian.sample")
    zhao, stranger = portal.visitor("zhao.sample"), portal.visitor("qian.sample")
    yield Case(portal, mine, beichens, others, zhao, stranger)
    world.services.database.close()


def test_the_list_has_the_papers_of_every_manufacturer_and_no_other_exporters(case: Case) -> None:
    page = case.zhao.get(HOME, lang="en").text
    assert [number in page for number in (case.mine, case.beichens, case.others)] == [True, True, False]
    assert worlds.YUNZHOU in page
    assert worlds.BEICHEN in page


def test_a_long_list_goes_on_after_the_last_one(case: Case) -> None:
    assert case.mine in case.zhao.get(f"{HOME}?after={case.beichens}").text
    assert case.zhao.get(f"{HOME}?after={case.others}").status_code == 404


@pytest.mark.parametrize("path", ["", "/files/sealed", "/files/evidence", "/annex"])
def test_what_was_issued_to_somebody_else_is_as_if_it_were_not_there(case: Case, path: str) -> None:
    assert case.zhao.get(f"{HOME}/{case.mine}{path}").status_code == 200
    assert case.zhao.get(f"{HOME}/{case.others}{path}").status_code == 404
    assert case.stranger.get(f"{HOME}/{case.mine}{path}").status_code == 404


def test_files_are_handed_out_whole_under_names_of_ours(case: Case) -> None:
    sealed = case.zhao.get(f"{HOME}/{case.mine}/files/sealed")
    assert case.portal.world.verify(sealed.data).number == case.mine
    assert sealed.headers["Content-Disposition"] == f'attachment; filename="{case.mine}.pdf"'
    packed = case.zhao.get(f"{HOME}/{case.mine}/files/evidence")
    assert packed.headers["Content-Disposition"] == f'attachment; filename="{case.mine}-evidence.zip"'
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        assert archive.read(f"{case.mine}.pdf") == sealed.data


def test_the_audit_tells_who_took_which_file_and_the_history_of_the_number_is_not_filled_with_it(case: Case) -> None:
    world, chen = case.portal.world, case.portal.visitor(CHEN)
    number, home = case.beichens, f"/portal/{OWN}/confirmations/{case.mine}"
    vins = [vehicle.vin for vehicle in world.services.papers.spoken(number).whole.terms.vehicles]
    for kind in ("sealed", "evidence"):
        case.zhao.get(f"{HOME}/{number}/files/{kind}")
    annex(case, number, vin=vins, code="8703801090")
    secret = world.services.sharing.make(Uscc(TIANSHAN), number, label="", days=7, by="zhao.sample")
    held = world.services.sharing.open(secret, network="test")
    world.services.sharing.note_taken(held, "sealed")
    for path in ("/files/sealed", "/files/print", "/evidence"):
        assert chen.get(f"{home}{path}").status_code == 200
    told = world.rows(
        "SELECT event, actor, subject, json_extract(detail, '$.kind'), manufacturer_id IS NULL FROM audit"
        " WHERE event LIKE '%.taken' ORDER BY id DESC LIMIT 7"
    )
    assert told[::-1] == [
        *(("paper.taken", "zhao.sample", number, kind, 1) for kind in ("sealed", "evidence", "annex")),
        ("share-link.taken", "holder", held.share.ref, "sealed", 0),
        *(("confirmation.taken", CHEN, case.mine, kind, 0) for kind in ("sealed", "print", "evidence")),
    ]
    assert "downloaded a file of" not in chen.get(home, lang="en").text
    world.appoint("auditor", "only.auditor")
    audit = case.portal.visitor("only.auditor").get("/portal/office/audit", lang="en").text
    assert ("downloaded a file of" in audit, "for an exporter" in audit) == (True, True)


def test_a_link_is_shown_once_listed_by_its_label_and_revoked(case: Case) -> None:
    made = case.zhao.post(f"{HOME}/{case.mine}/links?lang=en", {"label": "<b>买方乙", "days": "7"})
    link = re.search(r"http[^<\s]*/share#([0-9a-f]{64})", made.text)
    assert link
    page = case.zhao.get(f"{HOME}/{case.mine}", lang="en").text
    assert (link[1] in page, "&lt;b&gt;买方乙" in page) == (False, True)
    held = case.portal.world.services.sharing.open(link[0], network="test")
    answer = case.zhao.post(f"{HOME}/{case.mine}/links/{held.share.ref}/revoke")
    assert answer.location == f"{HOME}/{case.mine}?done=papers.revoked"
    shares = case.portal.world.services.sharing.of_exporter(Uscc(TIANSHAN), case.mine)
    assert shares[0].revoked_at == case.portal.world.at


@pytest.mark.parametrize(
    ("typed", "field"), [({"label": "x" * 61, "days": "7"}, "label"), ({"label": "", "days": "8"}, "days")]
)
def test_a_wrong_label_or_span_is_named_beside_its_field(case: Case, typed: dict[str, str], field: str) -> None:
    answer = case.zhao.post(f"{HOME}/{case.mine}/links?lang=en", typed)
    assert (answer.status_code, f'id="{field}-wrong"' in answer.text) == (422, True)


def status_links(case: Case) -> list[str]:
    """Return the addresses of the status links that the page shows, the newest first."""
    page = case.zhao.get(f"{HOME}/{case.mine}", lang="en").text
    return list(dict.fromkeys(re.findall(r'href="[^"]*(/status/[^"]+)"', page)))


def test_each_status_link_opens_for_anybody_is_counted_and_revoked_by_itself(case: Case) -> None:
    links, guest = case.portal.world.services.status_links, case.portal.app.test_client()
    for note in ("<b>买方乙", ""):
        case.zhao.post(f"{HOME}/{case.mine}/status", {"note": note})
    second, first = status_links(case)
    assert "&lt;b&gt;买方乙" in case.zhao.get(f"{HOME}/{case.mine}").text
    for path in (first, first, second):
        assert guest.get(path).status_code == 200
    assert [one.uses for one in links.of_exporter(Uscc(TIANSHAN), case.mine)] == [1, 2]
    ref = links.of_exporter(Uscc(TIANSHAN), case.mine)[1].ref
    assert case.stranger.post(f"/exporter/{HAIYI}/papers/{case.mine}/status/{ref}/revoke").status_code == 404
    assert case.zhao.post(f"{HOME}/{case.mine}/status/{ref}/revoke").status_code == 303
    assert (guest.get(first).status_code, guest.get(second).status_code) == (404, 200)
    assert status_links(case) == [second]
    assert case.zhao.post(f"{HOME}/{case.mine}/status/{ref}/revoke").status_code == 404
    with pytest.raises(Exception, match="stays so"):
        case.portal.world.change(f"UPDATE status_links SET revoked_at = NULL, revoked_by = NULL WHERE ref = '{ref}'")


def test_the_manufacturer_sees_how_often_a_status_link_was_opened_not_for_whom_and_revokes_it(case: Case) -> None:
    links, home = case.portal.world.services.status_links, f"/portal/{OWN}/confirmations/{case.mine}"
    ref = links.make(Uscc(TIANSHAN), case.mine, label="买方丙", by="zhao.sample")
    lin = case.portal.visitor(LIN)
    page = lin.get(f"{home}/links", lang="en").text
    assert ("Status links" in page, "买方丙" in page) == (True, False)
    assert lin.post(f"{home}/status/{ref}/revoke").location == f"{home}/links?done=sharing.revoked"
    assert links.of_maker(OWN, case.mine)[0].revoked_at == case.portal.world.at
    assert "Status link revoked" in lin.get(home, lang="en").text


def test_a_paper_has_only_so_many_status_links_at_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.services.status_links.MOST_OPEN", 0)
    answer = case.zhao.post(f"{HOME}/{case.mine}/status?lang=en", {"note": ""})
    assert (answer.status_code, "too many status links" in answer.text) == (409, True)
    wrong = case.zhao.post(f"{HOME}/{case.mine}/status?lang=en", {"note": "x" * 61})
    assert (wrong.status_code, 'id="note-wrong"' in wrong.text) == (422, True)


def annex(case: Case, number: Number, **typed: object) -> list[list[object]]:
    answer = case.zhao.post(f"{HOME}/{number}/annex", typed)
    assert (answer.status_code, answer.headers["Content-Disposition"]) == (
        200,
        f'attachment; filename="{number}-annex.xlsx"',
    ), answer.text
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    assert b"<f>" not in b"".join(zipfile.ZipFile(io.BytesIO(answer.data)).read(name) for name in sheets(answer.data))
    return book.get_sheet_by_index(0).to_python()


def sheets(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [name for name in archive.namelist() if name.startswith("xl/worksheets/")]


def test_the_annex_has_the_chosen_vehicles_as_text_and_the_goods_name(case: Case) -> None:
    vehicles = case.portal.world.services.papers.spoken(case.mine).whole.terms.vehicles
    chosen = [vehicle.vin for vehicle in vehicles[:2]]
    typed = {f"displacement-{place}": "1.5L" for place in range(3)}
    head, *rows = annex(case, case.mine, vin=chosen, code="8703234110", **typed)
    assert head[1:4] == ["商品编号", "商品名称", "车辆识别代号（VIN）"]
    assert [row[3] for row in rows] == chosen
    assert rows[0][1:5] == [
        "8703234110",
        f"旧=cmd|'/C calc'!A0 1.5L {vehicles[0].model}",
        chosen[0],
        "=cmd|'/C calc'!A0",
    ]
    assert rows[0][6] == vehicles[0].registered_on.isoformat()


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"code": "870"}, "code"), ({"vin": []}, "vehicles"), ({"displacement-0": "=1"}, "displacement-0")],
)
def test_a_wrong_field_of_the_annex_is_named_and_what_was_typed_is_kept(
    case: Case, typed: dict[str, object], field: str
) -> None:
    vins = [vehicle.vin for vehicle in case.portal.world.services.papers.spoken(case.mine).whole.terms.vehicles]
    plain = {"code": "8703234110", "vin": vins, **{f"displacement-{place}": "1.5L" for place in range(3)}}
    answer = case.zhao.post(f"{HOME}/{case.mine}/annex?lang=en", {**plain, **typed})
    assert (answer.status_code, f'id="{field}-wrong"' in answer.text, "1.5L" in answer.text) == (422, True, True)


def test_an_annex_of_electric_cars_has_their_code_and_needs_no_displacement(case: Case) -> None:
    page = case.zhao.get(f"{HOME}/{case.beichens}/annex", lang="en").text
    assert 'value="8703801090"' in page
    vins = [vehicle.vin for vehicle in case.portal.world.services.papers.spoken(case.beichens).whole.terms.vehicles]
    _, *rows = annex(case, case.beichens, vin=vins, code="8703801090")
    assert len(rows) == len(vins)


def test_more_than_twenty_vehicles_or_two_codes_become_several_annexes_of_one_file(case: Case) -> None:
    world = case.portal.world
    cars = [row for turn in range(10, 18) for row in worlds.fresh(worlds.KAZAKHSTAN, turn)["vehicles"]]
    for car in cars[:2]:
        car["model"], car["energy"] = "YZS7000EV", "battery-electric"
    number = world.issue({**worlds.fresh(worlds.KAZAKHSTAN, 1), "exporter": TIANSHAN, "vehicles": cars}).number
    page = case.zhao.get(f"{HOME}/{number}/annex", lang="en").text
    assert (page.count(" checked"), page.count('value="8703801090"')) == (24, 1)
    typed = {
        "vin": [car["vin"] for car in cars],
        "code": "8703234110",
        "code-0": "8703801090",
        "displacement-1": "1.5L",
    }
    shown = case.zhao.post(f"{HOME}/{number}/annex?lang=en", typed)
    assert (shown.status_code, shown.mimetype) == (200, "text/html")
    listed = re.sub(r"<[^>]+>", "", shown.text)
    for words in (
        "Annex 1 · 8703801090 · vehicles: 2",
        "Annex 2 · 8703234110 · vehicles: 20",
        "Annex 3 · 8703234110 · vehicles: 2",
    ):
        assert words in listed
    answer = case.zhao.post(f"{HOME}/{number}/annex", {**typed, "do": "get"})
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    assert book.sheet_names == ["附表1", "附表2", "附表3", "说明"]
    told = [[row[3] for row in book.get_sheet_by_name(name).to_python()[1:]] for name in book.sheet_names[:3]]
    assert [vin for part in told for vin in part] == [car["vin"] for car in cars]
    notes = "\n".join(str(row[0]) for row in book.get_sheet_by_name("说明").to_python())
    assert all(f"附表 {place}：" in notes for place in (1, 2, 3))
    assert told[2][1] in notes
    assert case.zhao.post(f"{HOME}/{number}/annex", {**typed, "code-0": "1"}).status_code == 422
    alone = {**typed, "vin": typed["vin"][:2], "code": ""}
    assert case.zhao.post(f"{HOME}/{number}/annex", alone).mimetype.endswith("spreadsheetml.sheet")


def test_a_paper_that_may_have_ended_after_the_backup_is_not_called_in_force(case: Case) -> None:
    database, at = case.portal.world.services.database, case.portal.world.at
    made = restores.Restore(backup_at=at - timedelta(hours=2), restored_at=at, archive_digest=bytes(32))
    with database.write() as tx:
        restores.note(tx, made)
    for path in (HOME, f"{HOME}/{case.mine}"):
        page = case.zhao.get(path, lang="en").text
        assert ("Cannot be told here: verify" in page, ">in force<" in page, "files/evidence" in page) == (
            True,
            False,
            False,
        )
    assert case.zhao.get(f"{HOME}/{case.mine}/files/evidence").status_code == 404
    assert case.zhao.get(f"{HOME}/{case.mine}/files/sealed").status_code == 200
    assert case.zhao.post(f"{HOME}/{case.mine}/links", {"label": "", "days": "7"}).status_code == 409
    with database.write() as tx:
        restores.release(tx, by=CHEN, at=at)
        restores.close(tx, restores.Closing(by=CHEN, second=LIN, reason="all is back"), at=at)
    assert "files/evidence" in case.zhao.get(f"{HOME}/{case.mine}").text


def test_who_signed_up_for_an_exporter_sees_no_paper_of_a_maker_that_did_not_accept_it(case: Case) -> None:
    world, home = case.portal.world, f"/exporter/{HAIYI}/papers"
    number = world.issue({**worlds.fresh(worlds.EMIRATES, 3), "exporter": HAIYI}).number
    paths = [f"{home}/{number}{rest}" for rest in ("", "/files/sealed", "/files/evidence", "/annex")]

    def is_shown() -> bool:
        listed = number in case.stranger.get(home).text
        answers = {case.stranger.get(path).status_code for path in (*paths, f"{home}?after={number}")}
        assert answers == ({200} if listed else {404})
        return listed

    def settle(state: exporters.AcceptanceState) -> None:
        with world.services.database.write() as tx:
            scope = parties.tenant(tx, worlds.BEICHEN).scope
            exporters.ask(tx, HAIYI, sign_up_ref=ref, by="qian.sample", scope=scope, at=world.at)
            known = exporters.acceptance(tx, HAIYI, scope=scope)
            assert known is not None
            if state != "asked":
                exporters.settle(tx, known, state, by=by, reason="-", scope=scope, at=world.at)

    ref, by = exporting.let_in(world, "qian.sample", HAIYI), worlds.PEOPLE[worlds.BEICHEN][0]
    assert not is_shown()  # never asked
    steps: tuple[tuple[exporters.AcceptanceState, bool], ...]
    steps = (("asked", False), ("refused", False), ("accepted", True), ("refused", False))
    for state, shown in steps:
        settle(state)
        assert is_shown() == shown, state
    with pytest.raises(NotFound):
        world.services.sharing.make(Uscc(HAIYI), number, label="", days=7, by="qian.sample")
    assert case.others in case.stranger.get(home).text
