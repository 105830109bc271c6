"""A preparer's drafts: what was typed stays, everything wrong is said beside its field, and two people lose nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from world import BEICHEN, KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, World, as_bytes, sample

from signer.domain.drafting import parse_draft
from signer.domain.parties import Uscc
from signer.domain.verdict import Code

if TYPE_CHECKING:
    from portal import Portal, Visitor
    from werkzeug.test import TestResponse

    from signer.domain.confirmation import Draft
    from signer.services.drafting import Drafting

USCC = {maker["record"]["legal_name"]: maker["record"]["uscc"] for maker in sample("register")["manufacturers"]}
MAKER = Uscc(USCC[YUNZHOU])
HOME = f"/portal/{MAKER}/drafts"
CHEN, LIN = PEOPLE[YUNZHOU]
JSON = {"Accept": "application/json"}


@pytest.fixture
def zhou(portal: Portal) -> Visitor:
    portal.world.give("preparer", "zhou")
    return portal.visitor("zhou")


@pytest.fixture
def drafting(world: World) -> Drafting:
    return world.services.drafting


def kazakhstan() -> Draft:
    return parse_draft(as_bytes(sample(KAZAKHSTAN)))


@pytest.fixture
def ref(drafting: Drafting) -> str:
    return drafting.begin(MAKER, by=CHEN, body=kazakhstan())


class Reader(HTMLParser):
    """Reads the editor's form as a browser does: what each field holds, and the boxes that are ticked."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, Any] = {"outlets": []}
        self.is_inside = False
        self.name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.is_inside = told.get("id") == "draft-form" if tag == "form" else self.is_inside
        if not self.is_inside:
            return
        name, kind = told.get("name", ""), told.get("type", "text")
        if tag in ("textarea", "select"):
            self.name = name
            self.fields[name] = ""
        elif tag == "option" and "selected" in told:
            self.fields[self.name] = told["value"]
        elif tag == "input" and kind == "checkbox" and "checked" in told:
            self.fields[name] = [*self.fields["outlets"], told["value"]] if name == "outlets" else told["value"]
        elif tag == "input" and kind in ("text", "hidden"):
            self.fields[name] = told["value"]

    def handle_data(self, data: str) -> None:
        if self.is_inside and (self.get_starttag_text() or "").startswith("<textarea") and self.name != "-":
            self.fields[self.name] = data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "textarea":
            self.name = "-"


@dataclass
class Page:
    """The form as a browser would hold it: what the draft's fields held when the page was opened."""

    visitor: Visitor
    ref: str
    fields: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, visitor: Visitor, ref: str) -> Page:
        reader = Reader()
        reader.feed(visitor.get(f"{HOME}/{ref}").text)
        return cls(visitor, ref, reader.fields)

    def get(self, *, lang: str = "") -> TestResponse:
        return self.visitor.get(f"{HOME}/{self.ref}", lang=lang)

    def save(self, do: str = "save", **typed: Any) -> TestResponse:
        told = {name.replace("__", "-"): value for name, value in typed.items()}
        return self.visitor.post(f"{HOME}/{self.ref}", {**self.fields, **told, "do": do})

    def autosave(self, **typed: Any) -> TestResponse:
        told = {name.replace("__", "-"): value for name, value in typed.items()}
        data = {**self.fields, **told, "automatic": "yes"}
        return self.visitor.post(f"{HOME}/{self.ref}", data, headers=JSON)


def test_a_draft_is_begun_found_copied_put_away_and_taken_up_again(chen: Visitor, drafting: Drafting) -> None:
    begun = chen.post(HOME)
    ref = begun.location.rpartition("/")[2]
    assert (begun.status_code, len(ref)) == (303, 16)
    assert Page.open(chen, ref).save(contract="TS-77", title="春季批次").status_code == 303
    assert "春季批次" in chen.get(f"{HOME}?q=ts-77").text
    assert "春季批次" not in chen.get(f"{HOME}?q=ts-78").text
    copied = chen.post(f"{HOME}/{ref}/copy").location.rpartition("/")[2].partition("?")[0]
    assert drafting.find(MAKER, copied).body.contract == "TS-77"
    assert chen.post(f"{HOME}/{copied}/discard").status_code == 303
    assert copied not in Page.open(chen, copied).save(contract="x").location.partition("&")[0]
    assert drafting.find(MAKER, copied).head.state == "discarded"
    assert copied not in chen.get(HOME).text
    chen.post(f"{HOME}/{copied}/restore")
    assert copied in chen.get(HOME).text


def test_what_was_typed_comes_back_as_it_was_typed(chen: Visitor, ref: str, drafting: Drafting) -> None:
    typed = {"contract": "\u202e<b>&\x00 x", "destination__country": "哈萨克斯坦", "vehicles__0__vin": " l0y-sa3 "}
    assert Page.open(chen, ref).save(**typed).status_code == 303
    body = drafting.find(MAKER, ref).body
    assert (body.contract, body.destination.country, body.vehicles[0].vin) == tuple(typed.values())
    page = chen.get(f"{HOME}/{ref}").text
    assert "<b>&" not in page
    assert 'value=" l0y-sa3 "' in page


@pytest.mark.parametrize(("lang", "word"), [("zh", "首次登记"), ("en", "First registered on")])
def test_every_finding_stands_at_its_field_and_in_the_summary(
    chen: Visitor, ref: str, drafting: Drafting, lang: str, word: str
) -> None:
    Page.open(chen, ref).save(vehicles__1__vin="L0YSA3B20T000O102", exporter="91650000MA0TH03XX4")
    page = chen.get(f"{HOME}/{ref}?lang={lang}").text
    assert word in page
    judged = drafting.judge(MAKER, drafting.find(MAKER, ref))
    assert {"vin.look-alike", "uscc.check"} <= {finding.rule for finding in judged.findings}
    for finding in judged.findings:
        place = finding.pointer.lstrip("/").replace("/", "-") or "draft"
        assert f'href="#{place}"' in page
        assert f'id="{place}"' in page
        assert f'id="{place}-told"' in page or place == "draft"
    assert judged.windows[0]
    assert judged.windows[0].through.isoformat() in page


def test_a_finding_that_leads_nowhere_does_not_exist(chen: Visitor, drafting: Drafting) -> None:
    ref = chen.post(HOME).location.rpartition("/")[2]
    Page.open(chen, ref).save(
        outlets=["nowhere", "kz-almaty"], vehicles__0__outlets="x y", vehicles__0__registered_on="never", until="soon"
    )
    page = chen.get(f"{HOME}/{ref}").text
    places = set(re.findall(r'href="#([^"]+)"', page)) - {"main"}
    assert places
    assert not [place for place in places if f'id="{place}"' not in page]


def test_what_a_field_cannot_hold_stays_in_the_form_and_the_rest_is_saved(
    chen: Visitor, ref: str, drafting: Drafting
) -> None:
    long = "长" * 5000
    typed = {"commitment__warranty_months": "三年<i>", "destination__buyer": long, "contract": "TS-9"}
    answer = Page.open(chen, ref).save(**typed)
    assert answer.status_code == 422
    assert "三年&lt;i&gt;" in answer.text
    assert long in answer.text
    body = drafting.find(MAKER, ref).body
    assert (body.contract, body.commitment.warranty_months, body.destination.buyer) == ("TS-9", 36, long[:1000])


@pytest.mark.parametrize(("typed", "held"), [("36", 36), ("１００，０００", 100000), ("-5", -5), ("", None), ("0", 0)])
def test_whole_numbers_are_read_as_people_write_them(
    chen: Visitor, ref: str, drafting: Drafting, typed: str, held: int | None
) -> None:
    Page.open(chen, ref).save(commitment__warranty_km=typed)
    assert drafting.find(MAKER, ref).body.commitment.warranty_km == held


def test_pasted_vins_become_rows_once(chen: Visitor, ref: str, drafting: Drafting) -> None:
    present = kazakhstan().vehicles[0].vin
    pasted = f"{present}\nL0Y SA3B2X T0000999\tblack\n\nnonsense here\n{present.lower()}"
    assert Page.open(chen, ref).save("paste", paste=pasted).status_code == 303
    rows = drafting.find(MAKER, ref).body.vehicles
    assert [row.vin for row in rows[3:]] == ["L0Y SA3B2X T0000999", "nonsense here"]
    assert {row.model for row in rows} == {"YZS6480T1"}


@pytest.mark.parametrize(("count", "is_too_many"), [(200, False), (201, True)])
def test_two_hundred_vehicles_are_edited_and_one_more_is_said_to_be_too_many(
    chen: Visitor, drafting: Drafting, count: int, is_too_many: bool
) -> None:
    row = kazakhstan().vehicles[0]
    body = kazakhstan().model_copy(
        update={"vehicles": tuple(row.model_copy(update={"engine_no": f"{place}"}) for place in range(count))}
    )
    ref = drafting.begin(MAKER, by=CHEN, body=body)
    assert Page.open(chen, ref).save(contract="many").status_code == 303
    kept = drafting.find(MAKER, ref)
    assert (kept.body.contract, len(kept.body.vehicles)) == ("many", count)
    rules = {finding.rule for finding in drafting.judge(MAKER, kept).findings}
    assert ("vehicles.too-many" in rules) == is_too_many


def test_more_rows_than_a_draft_holds_are_refused(chen: Visitor, ref: str) -> None:
    rows = {f"vehicles-{place}-vin": "x" for place in range(1001)}
    assert Page.open(chen, ref).visitor.post(f"{HOME}/{ref}", {**rows, "version": "1"}).status_code == 413


def test_a_removed_row_is_gone_and_no_other(chen: Visitor, ref: str, drafting: Drafting) -> None:
    vins = [row.vin for row in kazakhstan().vehicles]
    assert Page.open(chen, ref).save("remove-1").location.endswith("#vehicles")
    assert [row.vin for row in drafting.find(MAKER, ref).body.vehicles] == [vins[0], vins[2]]


def test_two_people_in_different_fields_lose_nothing(
    chen: Visitor, zhou: Visitor, ref: str, drafting: Drafting
) -> None:
    mine, theirs = Page.open(chen, ref), Page.open(zhou, ref)
    assert theirs.save(destination__port="Aktau", vehicles__2__colour="绿").status_code == 303
    assert mine.save(contract="C", vehicles__2__model="YZS1").location.endswith("?done=drafts.joined")
    body = drafting.find(MAKER, ref).body
    found = (body.contract, body.destination.port, body.vehicles[2].colour, body.vehicles[2].model)
    assert found == ("C", "Aktau", "绿", "YZS1")


def test_two_people_in_one_field_are_shown_both_and_choose(
    chen: Visitor, zhou: Visitor, ref: str, drafting: Drafting
) -> None:
    mine, theirs = Page.open(chen, ref), Page.open(zhou, ref)
    theirs.save(contract="THEIRS", destination__port="Aktau")
    answer = mine.save(contract="MINE", destination__buyer="B")
    assert (answer.status_code, "MINE" in answer.text, "THEIRS" in answer.text) == (409, True, True)
    body = drafting.find(MAKER, ref).body
    assert (body.contract, body.destination.port, body.destination.buyer) == ("THEIRS", "Aktau", "B")
    after = Page.open(chen, ref)
    undecided = after.save(contract="MINE", clash=["contract"])
    assert (undecided.status_code, drafting.find(MAKER, ref).body.contract) == (422, "THEIRS")
    assert "pick-contract" in undecided.text
    after.save(contract="MINE", clash=["contract"], **{"pick-contract": "theirs"})
    assert drafting.find(MAKER, ref).body.contract == "THEIRS"
    after.save(contract="MINE", clash=["contract"], **{"pick-contract": "mine"})
    assert drafting.find(MAKER, ref).body.contract == "MINE"


def test_a_row_that_one_removed_and_the_other_changed_is_kept_and_said(
    chen: Visitor, zhou: Visitor, ref: str, drafting: Drafting
) -> None:
    mine, theirs = Page.open(chen, ref), Page.open(zhou, ref)
    theirs.save("remove-1")
    answer = mine.save(vehicles__1__colour="绿")
    assert answer.status_code == 409
    assert "removed this row" in answer.text
    assert [row.colour for row in drafting.find(MAKER, ref).body.vehicles] == ["白", "绿", "银"]


def test_autosave_saves_and_judges_and_brings_what_others_wrote(
    chen: Visitor, zhou: Visitor, ref: str, drafting: Drafting
) -> None:
    mine, theirs = Page.open(chen, ref), Page.open(zhou, ref)
    first = theirs.autosave(destination__port="Aktau").get_json()
    assert (first["version"], first["together"]) == (2, "")
    told = mine.autosave(contract="C", vehicles__1__vin="bad").get_json()
    assert told["changed"] == {"destination-port": "Aktau"}
    assert "zhou" in told["together"]
    assert {"vehicles-1-vin"} <= {each["place"] for each in told["told"]}
    assert drafting.find(MAKER, ref).body.contract == "C"


def test_an_autosave_that_clashes_saves_nothing_and_says_so_at_once(
    chen: Visitor, zhou: Visitor, ref: str, drafting: Drafting
) -> None:
    mine, theirs = Page.open(chen, ref), Page.open(zhou, ref)
    theirs.save(contract="THEIRS")
    answer = mine.autosave(contract="MINE", destination__port="P")
    assert "zhou" in answer.get_json()["held"]
    assert drafting.find(MAKER, ref).head.version == 2
    assert mine.save(contract="MINE", destination__port="P").status_code == 409


def test_an_autosave_without_a_change_is_no_version(chen: Visitor, ref: str, drafting: Drafting) -> None:
    assert Page.open(chen, ref).autosave().get_json()["version"] == 1
    assert drafting.find(MAKER, ref).head.version == 1


def test_a_lost_session_is_told_to_the_script_in_its_own_terms(chen: Visitor, ref: str, drafting: Drafting) -> None:
    page = Page.open(chen, ref)
    token = chen.token()
    chen.client.delete_cookie("signer")
    answer = page.autosave(contract="lost?", csrf_token=token)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert drafting.find(MAKER, ref).head.version == 1


def test_a_form_of_another_session_is_told_to_the_script_too(chen: Visitor, ref: str) -> None:
    answer = Page.open(chen, ref).autosave(csrf_token="another")
    assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (400, "form-expired")


def test_a_draft_that_waits_is_taken_back_by_a_person_and_by_no_script(
    chen: Visitor, ref: str, drafting: Drafting
) -> None:
    drafting.move(MAKER, ref, "waiting", by=CHEN, among=frozenset({"open"}))
    page = Page.open(chen, ref)
    assert "data-autosave" not in page.get().text
    assert page.autosave(contract="X").status_code == 409
    assert drafting.find(MAKER, ref).head.state == "waiting"
    assert page.save(contract="X").status_code == 303
    assert (drafting.find(MAKER, ref).head.state, drafting.find(MAKER, ref).body.contract) == ("open", "X")


def test_an_edit_of_what_was_sent_voids_what_was_sent(world: World, chen: Visitor, ref: str) -> None:
    world.services.approving.send(ref, maker=MAKER, version=1, by=CHEN)
    states = "SELECT state, reason FROM submissions"
    assert world.rows(states) == [("waiting", None)]
    Page.open(chen, ref).save()
    assert world.rows(states) == [("waiting", None)]
    Page.open(chen, ref).save(contract="X")
    assert world.rows(states) == [("voided", "edited")]


def test_who_only_approves_reads_and_changes_nothing(portal: Portal, ref: str) -> None:
    lin = portal.visitor(LIN)
    page = lin.get(f"{HOME}/{ref}").text
    assert '<fieldset class="whole" disabled>' in page
    assert "/discard" not in page
    assert lin.post(f"{HOME}/{ref}", {"contract": "x"}).status_code == 403


@pytest.mark.parametrize("path", ["", "/review", "/preview.pdf"])
def test_another_makers_draft_is_not_there(portal: Portal, ref: str, path: str) -> None:
    he = portal.visitor(PEOPLE[BEICHEN][0])
    assert he.get(f"/portal/{USCC[BEICHEN]}/drafts/{ref}{path}").status_code == 404
    assert he.get(f"{HOME}/{ref}{path}").status_code == 404
    assert he.post(f"/portal/{USCC[BEICHEN]}/drafts/{ref}/copy").status_code == 404


def test_only_exporters_that_one_has_served_are_offered(world: World, portal: Portal, ref: str) -> None:
    chen = portal.visitor(CHEN)
    offered = f'<option value="{TIANSHAN}">'
    assert offered not in chen.get(f"{HOME}/{ref}").text
    world.issue(sample(KAZAKHSTAN))
    assert offered in chen.get(f"{HOME}/{ref}").text
    he = portal.visitor(PEOPLE[BEICHEN][0])
    theirs = world.services.drafting.begin(Uscc(USCC[BEICHEN]), by=PEOPLE[BEICHEN][0])
    assert offered not in he.get(f"/portal/{USCC[BEICHEN]}/drafts/{theirs}").text


def test_a_successor_begins_with_what_is_in_force(world: World, chen: Visitor, drafting: Drafting) -> None:
    number = world.issue(sample(KAZAKHSTAN)).number
    begun = chen.post(f"{HOME}/successor", {"number": number.lower()})
    ref = begun.location.rpartition("/")[2].partition("?")[0]
    kept = drafting.find(MAKER, ref)
    assert kept.body.supersedes == number
    assert [row.vin for row in kept.body.vehicles] == [row.vin for row in kazakhstan().vehicles]
    rules = {finding.rule for finding in drafting.judge(MAKER, kept).findings if finding.severity == "violation"}
    assert rules == set()
    assert chen.post(f"{HOME}/successor", {"number": "00000-00000-0000"}).status_code == 422


def test_a_preview_is_a_page_that_verifies_as_nothing(world: World, chen: Visitor, ref: str) -> None:
    answer = chen.get(f"{HOME}/{ref}/preview.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"/EmbeddedFile" not in answer.data
    assert b"/Sig" not in answer.data
    verdict = world.verify(answer.data)
    assert verdict.code in (Code.UNSEALED, Code.NOT_A_CONFIRMATION)
    assert verdict.number is None


def test_a_preview_leaves_out_what_cannot_be_read_and_says_so(chen: Visitor, drafting: Drafting) -> None:
    rows = kazakhstan().vehicles
    broken = kazakhstan().model_copy(update={"vehicles": (rows[0], rows[1].model_copy(update={"vin": "x"}))})
    ref = drafting.begin(MAKER, by=CHEN, body=broken)
    assert chen.get(f"{HOME}/{ref}/preview.pdf").mimetype == "application/pdf"
    empty = drafting.begin(MAKER, by=CHEN)
    answer = chen.get(f"{HOME}/{empty}/preview.pdf")
    assert (answer.mimetype, "Nothing to preview yet" in answer.text) == ("text/html", True)
    assert f'href="{HOME}/{empty}#exporter"' in answer.text


def test_the_way_to_approval_opens_when_no_rule_is_violated(chen: Visitor, ref: str) -> None:
    page = Page.open(chen, ref)
    assert page.save("review").location == f"{HOME}/{ref}/review"
    assert f'action="{HOME}/{ref}/send"' in chen.get(f"{HOME}/{ref}/review").text
    page.save(vehicles__0__vin="x")
    assert f'action="{HOME}/{ref}/send"' not in chen.get(f"{HOME}/{ref}/review").text


def test_the_list_calls_a_destination_by_its_name(portal: Portal, ref: str) -> None:
    del ref
    lin = portal.visitor(LIN)
    for language, name in (("zh", "哈萨克斯坦"), ("en", "Kazakhstan")):
        assert f">{name}</td>" in lin.get(f"{HOME}?lang={language}").text


def test_the_usual_end_is_an_empty_field_and_no_end_is_a_word(
    portal: Portal, drafting: Drafting, zhou: Visitor, ref: str
) -> None:
    page = Page.open(zhou, ref)
    assert page.fields["until"] == ""
    assert "required-through" not in zhou.get(f"{HOME}/{ref}?lang=zh").text
    page.save()
    assert drafting.find(MAKER, ref).body.until == "required-through"
    for typed in ("不限", "none"):
        Page.open(zhou, ref).save(until=typed)
        assert drafting.find(MAKER, ref).body.until == "none"
    assert 'value="不限"' in zhou.get(f"{HOME}/{ref}?lang=zh").text
    Page.open(zhou, ref).save(until="")
    assert drafting.find(MAKER, ref).body.until == "required-through"
