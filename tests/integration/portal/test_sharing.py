"""A share link opens one paper for a time, until it is revoked or the paper not in force; looking uses nothing up."""

from __future__ import annotations

import io
import re
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import exporting
import pytest
import world as worlds
from portal import Portal

from signer.domain.parties import Uscc
from signer.domain.values import beijing_day
from signer.errors import Conflict, InvalidInput, NotFound
from signer.register import exporters, parties, restores
from signer.services.withdraw import Withdrawal
from signer.web import languages
from signer.web.portal.passes import Passes
from signer.web.portal.shared import CLOSED, proof_of, state_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from signer.domain.number import Number
    from signer.register.exporters import AcceptanceState
    from signer.register.shares import Share

TIANSHAN, HAIYI = Uscc(worlds.TIANSHAN), Uscc(worlds.HAIYI)
CHEN, LIN = worlds.PEOPLE[worlds.YUNZHOU]
USCC = {maker["record"]["legal_name"]: maker["record"]["uscc"] for maker in worlds.sample("register")["manufacturers"]}
HOME = f"/portal/{USCC[worlds.YUNZHOU]}/confirmations"
CHANGING = re.compile(r'nonce="[^"]*"|value="[^"]*"')


@dataclass
class Case:
    """Papers in a register that lives for all tests, and the people who look."""

    portal: Portal
    papers: list[Number]

    @property
    def world(self) -> worlds.World:
        return self.portal.world

    def paper(self, turn: int) -> Number:
        """One paper of several, made when it is first needed."""
        while len(self.papers) <= turn:
            self.papers.append(self.world.issue(worlds.fresh(worlds.KAZAKHSTAN, len(self.papers))).number)
        return self.papers[turn]

    def link(self, turn: int = 0, *, days: int = 30, label: str = "") -> str:
        return self.world.services.sharing.make(TIANSHAN, self.paper(turn), label=label, days=days, by=CHEN)

    def status(self, turn: int) -> str:
        """The address of a new status link."""
        services, number = self.world.services, self.paper(turn)
        ref = services.status_links.make(TIANSHAN, number, label="", by=CHEN)
        return f"/status/{number}/{proof_of(services.vault().key('status'), number, ref)}"

    def share(self, turn: int = 0) -> Share:
        """The newest link to a paper."""
        return self.world.services.sharing.of_exporter(TIANSHAN, self.paper(turn))[0]

    def guest(self) -> FlaskClient:
        return self.portal.app.test_client()

    def open(self, secret: str, guest: FlaskClient | None = None, **headers: str) -> TestResponse:
        """Hand a secret over by the page's own form."""
        who = guest or self.guest()
        form = who.get("/share", headers={"Accept-Language": "en"}).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        assert token
        told = {"csrf_token": token[1], "secret": secret, "lang": "en"}
        sent = {name.replace("_", "-"): said for name, said in headers.items()}
        answer = who.post("/share", data=told, headers=sent)
        return who.get(answer.location) if str(answer.location).startswith(CLOSED) else answer

    def opened(self, secret: str) -> tuple[FlaskClient, str]:
        """A guest who has opened a link, and where its paper is."""
        guest = self.guest()
        answer = self.open(secret, guest)
        assert answer.status_code == 303, answer.text
        place, _, lang = str(answer.location).partition("?")
        assert lang == "lang=en"
        return guest, place


@pytest.fixture(scope="module")
def case(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    made = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("sharing") / "data"))
    exporting.accept(made, TIANSHAN, worlds.YUNZHOU)
    found = Case(Portal.of(made), [])
    found.paper(4)  # while the day is that of the samples
    yield found
    made.services.database.close()


def closed(answer: TestResponse) -> str:
    """Return the page of a link that opens nothing, without what is drawn anew for each answer."""
    assert answer.status_code == 404
    return CHANGING.sub("", answer.text)


def test_looking_at_a_link_uses_nothing_up(case: Case) -> None:
    case.link()
    for agent in ("MicroMessenger/8.0", "TelegramBot (like TwitterBot)", "WhatsApp/2.24"):
        assert case.guest().get("/share", headers={"User-Agent": agent}).status_code == 200
    assert (case.share().uses, case.share().used_at) == (0, None)


def test_a_link_opens_its_paper_with_pdf_and_evidence_and_is_counted(case: Case) -> None:
    secret, world = case.link(), case.world
    guest, place = case.opened(secret)
    assert place == f"/shared/{case.share().ref}"
    assert guest.get(place, headers={"Accept-Language": "ru"}).status_code == 200
    page = guest.get(place, headers={"Accept-Language": "en"})
    assert (page.status_code, case.paper(0) in page.text, "in force" in page.text) == (200, True, True)
    pdf = guest.get(f"{place}/files/sealed")
    assert world.verify(pdf.data).number == case.paper(0)
    with zipfile.ZipFile(io.BytesIO(guest.get(f"{place}/files/evidence").data)) as archive:
        assert archive.read(f"{case.paper(0)}.pdf") == pdf.data
    assert guest.get(f"{place}/files/archive").status_code == 404
    case.opened(f"http://127.0.0.1/share#{secret.upper()}")  # the whole link pasted, as some messengers spell it
    assert (case.share().uses, case.share().used_at) == (2, world.at)


WORDS = {
    "zh": ("共享的确认书", "此链接无法打开"),
    "en": ("A shared confirmation", "This link opens nothing"),
    "ru": ("Подтверждение по ссылке", "По этой ссылке ничего не открывается"),
    "es": ("Confirmación compartida", "Este enlace no abre nada"),
    "ar": ("تأكيد وصلك رابطه", "لا يفتح هذا الرابط شيئا"),
    "fr": ("Confirmation partagée", "Ce lien n’ouvre rien"),
}


@pytest.mark.parametrize("language", languages.TONGUES)
def test_a_link_is_handed_over_opened_and_refused_in_the_language_that_was_chosen(
    case: Case, language: languages.Tongue
) -> None:
    title, refusal = WORDS[language]
    begins = f'<html lang="{languages.TAGS[language]}" dir="{"rtl" if language == "ar" else "ltr"}">'
    guest, french = case.guest(), {"Accept-Language": "fr"}
    form = guest.get(f"/share?lang={language}", headers=french).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)
    tag = re.search(r'name="lang" value="([^"]+)"', form)
    assert token
    assert tag
    told = {"csrf_token": token[1], "lang": tag[1], "secret": case.link()}
    opened = guest.post("/share", data=told, headers=french).location
    page = guest.get(opened, headers=french).text
    place = opened.partition("?")[0]
    files = re.findall(rf'href="({place}/files/[^"]+)"', page)
    assert len(files) == 2
    case.world.services.sharing.revoke_by_exporter(TIANSHAN, case.paper(0), case.share().ref, by=CHEN)
    over = {guest.get(path, headers=french).location for path in (opened, *files)}
    over.add(guest.post("/share", data=told | {"secret": "0" * 64}, headers=french).location)
    assert over == {f"{CLOSED}&lang={language}"}
    refused = guest.get(over.pop(), headers=french).text
    for shown in (form, page, refused):
        assert (begins in shown, title in shown) == (True, True)
    assert refusal in refused
    others = {found[1] for found in re.finditer(r'href="/share\?closed=1&amp;lang=([a-z]+)"', refused)}
    assert others == set(languages.TONGUES) - {language}
    assert len(re.findall(rf'href="{place}\?lang=[a-z]+"', page)) == 5


def test_the_pass_opens_no_other_paper(case: Case) -> None:
    guest, mine = case.opened(case.link())
    case.link(1)
    other = f"/shared/{case.share(1).ref}"
    held = guest.get_cookie("signer-share", path=mine)
    assert held is not None
    assert (held.http_only, held.same_site, held.path) == (True, "Lax", mine)
    guest.set_cookie("signer-share", held.value, path=other)
    for answer in (guest.get(other), case.guest().get(mine), case.guest().get("/shared/0000000000000000")):
        assert (answer.status_code, answer.location) == (303, CLOSED)


def test_the_pass_is_for_https_alone_where_the_deployment_is(case: Case) -> None:
    with case.portal.app.test_request_context("/"):
        response = case.portal.app.make_response("")
        Passes(key=b"k" * 32, secure=True).give(response, "ref")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Secure-signer-share=")
    assert {"Secure", "HttpOnly", "Path=/shared/ref", "SameSite=Lax"} <= set(cookie.split("; "))


def test_a_form_that_our_page_did_not_make_opens_nothing(case: Case) -> None:
    secret = case.link()
    assert case.guest().post("/share", data={"secret": secret}).status_code == 400
    assert case.open(secret, Origin="https://evil.example").status_code == 400
    assert case.open(secret, Origin="null", Sec_Fetch_Site="cross-site").status_code == 400
    assert case.share().uses == 0
    assert case.open(secret, Origin="null", Sec_Fetch_Site="same-origin").status_code == 303


def test_a_link_leads_to_its_own_page_whatever_is_asked(case: Case) -> None:
    secret, guest = case.link(), case.guest()
    form = guest.get("/share?next=https://evil.example/").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)
    assert token
    told = {"csrf_token": token[1], "secret": secret, "next": "//evil.example"}
    assert guest.post("/share?next=//evil.example", data=told).location == f"/shared/{case.share().ref}"


def test_nothing_of_it_is_kept_or_told_to_another_site(case: Case) -> None:
    guest, place = case.opened(case.link())
    wrong = case.open("0" * 64)
    for answer in (guest.get("/share"), wrong, guest.get(place), guest.get(f"{place}/files/sealed")):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    assert case.guest().post("/share", data={}).headers["Referrer-Policy"] == "no-referrer"


def test_a_secret_is_nowhere_in_the_register(case: Case) -> None:
    secret = case.link()
    case.opened(secret)
    files = [path.read_bytes() for path in case.world.folder.glob("register.sqlite3*")]
    assert files
    assert not any(secret.encode() in data or bytes.fromhex(secret) in data for data in files)


def test_whatever_does_not_open_is_answered_alike(case: Case) -> None:
    unlike = closed(case.open("f" * 64))
    assert closed(case.open("")) == closed(case.open("<b>x")) == unlike
    case.opened(case.link())  # a link that opens forgives what failed before

    assert closed(case.guest().get(f"{CLOSED}&lang=en")) == unlike
    over = case.link(2, days=7)
    guest_over, place_over = case.opened(over)
    case.world.at += timedelta(days=7)
    assert closed(case.open(over)) == unlike
    assert guest_over.get(place_over).location == CLOSED

    revoked = case.link(2)
    guest, place = case.opened(revoked)
    case.world.services.sharing.revoke_by_exporter(TIANSHAN, case.paper(2), case.share(2).ref, by=CHEN)
    assert closed(case.open(revoked)) == unlike
    for path in (place, f"{place}/files/sealed", f"{place}/files/evidence"):
        assert guest.get(path).location == CLOSED


def test_a_link_is_dead_while_its_paper_is_suspended_and_once_it_is_withdrawn(case: Case) -> None:
    secret, number, ending = case.link(3), case.paper(3), case.world.services.ending
    guest, place = case.opened(secret)
    ending.suspend(number, manufacturer=worlds.YUNZHOU, by=CHEN)
    assert [guest.get(place).location, case.open(secret).status_code] == [CLOSED, 404]
    ending.lift(number, manufacturer=worlds.YUNZHOU, by=LIN)
    assert [guest.get(place).status_code, case.open(secret).status_code] == [200, 303]
    ending.withdraw(Withdrawal(number=number, manufacturer=worlds.YUNZHOU, by=CHEN, second=LIN, reason="error"))
    for path in (place, f"{place}/files/sealed", f"{place}/files/evidence"):
        assert guest.get(path).location == CLOSED
    assert case.open(secret).status_code == 404
    with pytest.raises(Conflict):
        case.link(3)


def settle(case: Case, state: AcceptanceState) -> None:
    """Let the maker say anew how it stands to the exporter."""
    with case.world.services.database.write() as tx:
        scope = parties.tenant(tx, worlds.YUNZHOU).scope
        known = exporters.acceptance(tx, TIANSHAN, scope=scope)
        assert known is not None
        exporters.settle(tx, known, state, by=CHEN, reason="test", scope=scope, at=case.world.at)


def test_a_link_is_dead_where_the_maker_has_refused_the_exporter_since(case: Case) -> None:
    secret = case.link()
    guest, place = case.opened(secret)
    settle(case, "refused")
    assert (guest.get(place).location, case.open(secret).status_code) == (CLOSED, 404)
    settle(case, "accepted")
    assert (guest.get(place).status_code, case.open(secret).status_code) == (200, 303)


def test_guessing_has_to_wait_and_a_link_that_opens_is_forgiven(case: Case) -> None:
    secret = case.link()
    case.opened(secret)
    answers = [case.open(f"{turn:064x}").status_code for turn in range(6)]
    assert answers == [404] * 5 + [429]
    waiting = case.open(secret)
    assert (waiting.status_code, int(waiting.headers["Retry-After"]) > 0) == (429, True)
    case.world.at += timedelta(seconds=int(waiting.headers["Retry-After"]) + 1)
    assert case.open(secret).status_code == 303
    assert case.open("0" * 64).status_code == 404


def test_an_office_with_a_link_that_was_revoked_is_not_made_to_wait(case: Case) -> None:
    revoked, good = case.link(), case.link()
    ref = case.world.services.sharing.of_exporter(TIANSHAN, case.paper(0))[1].ref
    case.world.services.sharing.revoke_by_exporter(TIANSHAN, case.paper(0), ref, by=CHEN)
    assert {case.open(revoked).status_code for _ in range(8)} == {404}
    assert case.open(good).status_code == 303


def test_who_makes_a_link_says_for_how_long_and_has_the_paper(case: Case) -> None:
    sharing = case.world.services.sharing
    for label, days, wrong in (("x" * 61, 30, "label"), ("a\u202eb", 30, "label"), ("", 31, "days"), ("", 0, "days")):
        with pytest.raises(InvalidInput) as caught:
            sharing.make(TIANSHAN, case.paper(0), label=label, days=days, by=CHEN)
        assert caught.value.field == wrong
    with pytest.raises(NotFound):
        sharing.make(HAIYI, case.paper(0), label="", days=7, by=CHEN)


def test_the_register_takes_no_revocation_back(case: Case) -> None:
    case.link()
    ref = case.share().ref
    case.world.services.sharing.revoke_by_maker(worlds.YUNZHOU, case.paper(0), ref, by=LIN)
    for change in ("revoked_at = NULL, revoked_by = NULL", "ends_at = '2999-01-01T00:00:00.000000Z'"):
        with pytest.raises(Exception, match="share link"):
            case.world.change(f"UPDATE shares SET {change} WHERE ref = '{ref}'")
    with pytest.raises(Exception, match="never deleted"):
        case.world.change(f"DELETE FROM shares WHERE ref = '{ref}'")


def test_the_maker_sees_how_often_and_revokes_and_never_learns_for_whom(case: Case) -> None:
    secret, lin = case.link(label="喀什客户甲"), case.portal.visitor(LIN)
    guest, place = case.opened(secret)
    page = lin.get(f"{HOME}/{case.paper(0)}/links", lang="en")
    assert (page.status_code, "喀什客户甲" in page.text, secret in page.text) == (200, False, False)
    answer = lin.post(f"{HOME}/{case.paper(0)}/links/{case.share().ref}/revoke")
    assert answer.location == f"{HOME}/{case.paper(0)}/links?done=sharing.revoked"
    assert guest.get(place).location == CLOSED
    history = lin.get(f"{HOME}/{case.paper(0)}", lang="en").text
    assert "made a share link to" in history or "Share link made" in history
    assert "Share link revoked" in history
    told = case.world.rows(f"SELECT event FROM audit WHERE subject = '{case.share().ref}'")
    assert told == [("share-link.opened",)]


def test_a_link_of_another_paper_is_not_revoked_under_this_one(case: Case) -> None:
    case.link()
    case.link(1)
    answer = case.portal.visitor(LIN).post(f"{HOME}/{case.paper(0)}/links/{case.share(1).ref}/revoke")
    assert (answer.status_code, case.share(1).revoked_at) == (404, None)


def test_a_status_link_is_small_needs_no_script_and_says_number_state_and_time_alone(case: Case) -> None:
    number, path = case.paper(4), case.status(4)
    for lang, word in (("en", "In force"), ("zh", "有效"), ("ru", "Действует"), ("ar", 'dir="rtl"')):
        answer = case.guest().get(path, headers={"Accept-Language": lang})
        assert (answer.status_code, number in answer.text, word in answer.text) == (200, True, True)
        assert "2026" in answer.text
        assert "(UTC+8)" in answer.text
        assert "<script" not in answer.text
        assert len(answer.data) < 3000
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        record = case.world.services.papers.spoken(number).whole
        for hidden in (TIANSHAN, record.terms.exporter.legal_name, *record.terms.vins, record.terms.contract or "~"):
            assert hidden not in answer.text


def test_a_status_link_follows_the_paper_and_cannot_be_made_up(case: Case) -> None:
    number, path = case.paper(4), case.status(4)
    for forged in (
        f"/status/{number}/{'0' * 32}",
        f"/status/{case.paper(0)}/{path.rpartition('/')[2]}",
        f"/status/{number}/é",
    ):
        assert case.guest().get(forged).status_code == 404
    ending, first = case.world.services.ending, case.world.services.papers.spoken(number).vins[0]
    people = {"manufacturer": worlds.YUNZHOU, "by": CHEN, "second": LIN, "reason": "error"}
    ending.withdraw(Withdrawal(number=number, vins=(first,), **people))
    assert "2 of 3 vehicles" in case.guest().get(f"{path}?lang=en").text
    ending.withdraw(Withdrawal(number=number, **people))
    assert "Withdrawn" in case.guest().get(f"{path}?lang=en").text


@contextmanager
def a_gap(case: Case) -> Iterator[None]:
    """A register restored from a backup made two hours ago, until two people say that all is back."""
    database, at = case.world.services.database, case.world.at
    made = restores.Restore(backup_at=at - timedelta(hours=2), restored_at=at, archive_digest=bytes(32))
    with database.write() as tx:
        restores.note(tx, made)
        restores.release(tx, by="op", at=at)
    yield
    with database.write() as tx:
        restores.close(tx, restores.Closing(by=CHEN, second=LIN, reason="all is back"), at=at)


def test_what_may_have_been_withdrawn_after_the_backup_is_nowhere_called_in_force(case: Case) -> None:
    secret, status = case.link(), case.status(0)
    guest, place = case.opened(secret)
    told = {"en": "Cannot be told here", "zh": "此处无法确定", "ru": "определить нельзя", "ar": "لا يمكن تحديد"}
    told |= {"fr": "Indéterminable", "es": "No se puede determinar"}
    unlike = closed(case.open("e" * 64))
    with a_gap(case):
        for lang, words in told.items():
            page = case.guest().get(status, headers={"Accept-Language": lang}).text
            assert (words in page, 'class="state yes"' in page) == (True, False), lang
        for path in (place, f"{place}/files/sealed", f"{place}/files/evidence"):
            assert guest.get(path).location == CLOSED
        assert closed(case.open(secret)) == unlike
        with pytest.raises(Conflict):
            case.link()
    assert guest.get(place).status_code == 200
    assert "In force" in case.guest().get(f"{status}?lang=en").text


def test_a_vin_in_conflict_or_a_last_day_that_is_past_is_not_called_in_force(case: Case) -> None:
    record, today = case.world.services.papers.spoken(case.paper(0)), beijing_day(case.world.at)
    first, *others = record.lines
    disputed = (first.model_copy(update={"is_conflict": True}), *others)
    assert state_of(record, today)[0] == "issued"
    assert state_of(record.model_copy(update={"lines": disputed}), today)[0] == "unclear"
    last = record.model_copy(update={"until": today})
    assert [state_of(last, day)[0] for day in (today, today + timedelta(days=1))] == ["issued", "unclear"]
