"""Codes on paper, from picture to verdict: a real register, real keys, real symbols; and whoever forges one."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import paper_keys
import pikepdf
import printing
import pytest
import world as worlds
from PIL import Image
from world import KAZAKHSTAN, World, sample

from signer import wiring
from signer.domain.evidence import Asked
from signer.domain.number import Number, check_character
from signer.domain.trust import Purpose, SealState
from signer.domain.verdict import Code, Outcome
from signer.errors import InvalidInput
from signer.paper.symbol import matrix
from signer.register import confirmations, suspicions
from signer.register.scope import Scope
from signer.seal import receipt, trust
from signer.services.licence import Question

if TYPE_CHECKING:
    from pathlib import Path

    from paper_keys import Key

    from signer.domain.paper_code import PaperClaims
    from signer.domain.verdict import Verdict


EVERYTHING = Scope.everything("a test")


def left_pending(world: World) -> Number:
    """Lose the process before the sealed file is stored: the number stays pending."""

    def lost(data: bytes) -> bytes:
        raise KeyboardInterrupt

    blobs = world.services.issuing._sealing._blobs
    kept, blobs.put = blobs.put, lost  # type: ignore[method-assign]
    with suppress(KeyboardInterrupt):
        world.issue(worlds.fresh(KAZAKHSTAN, 9))
    blobs.put = kept  # type: ignore[method-assign]
    ((number,),) = world.rows("SELECT number FROM confirmations WHERE standing = 'pending'")
    return Number(number)


@dataclass
class House:
    """A deployment with one confirmation in force, its maker's key for codes, and that key's code."""

    world: World
    key: Key
    pdf: bytes
    number: Number
    claims: PaperClaims

    @property
    def code(self) -> str:
        return self.key.sign(self.claims)

    def judge(self, text: str, **asked: Any) -> Verdict:
        return self.world.services.lookups.code(text, Asked(**asked))


@pytest.fixture(scope="module")
def house(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Of tests that change nothing which another asks for."""
    return made(World(worlds.copy(template_folder, tmp_path_factory.mktemp("on-paper") / "data")))


@pytest.fixture
def own(template_folder: Path, tmp_path: Path) -> House:
    return made(World(worlds.copy(template_folder, tmp_path / "data")))


def made(world: World) -> House:
    issued = world.issue(sample(KAZAKHSTAN))
    key = paper_keys.make(world.at)
    (claims,) = paper_keys.claims_of(world, issued.number)
    paper_keys.enrol(world, key, claims.issuer)
    return House(world, key, issued.pdf, issued.number, claims)


def drawn(*texts: str) -> Image.Image:
    """A small sheet with codes."""
    page = Image.new("L", (900, 80 + 640 * len(texts)), 255)
    for place, text in enumerate(texts):
        modules = matrix(text, level="Q")
        symbol = Image.new("L", (len(modules), len(modules)))
        symbol.putdata([0 if black else 255 for row in modules for black in row])
        size = len(modules) * 6
        page.paste(symbol.resize((size, size), Image.Resampling.NEAREST), (60, 60 + 640 * place))
    return page


def picture(*texts: str, seed: int = 1) -> bytes:
    return printing.printed(drawn(*texts), "scan-200", seed=seed)


def test_a_photograph_of_a_confirmation_in_force_is_genuine_paper(house: House) -> None:
    found = house.world.services.verifying.file(printing.printed(drawn(house.code), "photo-far", seed=1))
    assert (found.code, found.subject, found.number) == (Code.PAPER_GENUINE, "paper", house.number)
    assert found.confirmation is not None
    assert found.paper is not None
    assert found.paper.vins == house.claims.vins


def test_text_address_and_digits_alone_are_one_code_whatever_the_host_says(house: House) -> None:
    digits = house.code.partition("#")[2]
    for text in (house.code, f"#{digits}", digits, f"https://confirm.examp1e.org/v#{digits}?utm=1", f" {house.code}\n"):
        assert house.judge(text).code is Code.PAPER_GENUINE


def test_another_digit_is_invalid_wherever_it_stands(house: House) -> None:
    head, _, digits = house.code.partition("#")
    for place in (0, 1, 40, len(digits) // 2, len(digits) - 1):
        other = str((int(digits[place]) + 1) % 10) if place else str(int(digits[0]) % 9 + 1)
        found = house.judge(f"{head}#{digits[:place]}{other}{digits[place + 1 :]}")
        assert found.code is Code.CODE_INVALID
        assert found.confirmation is None


def test_a_code_by_a_key_that_nobody_listed_is_invalid(house: House) -> None:
    found = house.judge(paper_keys.make(house.world.at).sign(house.claims))
    assert (found.code, found.reason) == (Code.CODE_INVALID, "CODE_SIGNER")


def test_a_code_of_one_maker_under_the_key_of_another_is_nobody_s(house: House) -> None:
    other = paper_keys.make(house.world.at)
    seals = house.world.services.trust.current(house.world.at).of(Purpose.PDF_SEAL)
    uscc = next(one.uscc for one in seals if one.uscc not in (None, house.claims.issuer))
    assert uscc is not None
    paper_keys.enrol(house.world, other, uscc)
    found = house.judge(other.sign(house.claims))
    assert (found.code, found.reason, found.confirmation) == (Code.UNKNOWN_SEAL, "OTHER_MANUFACTURER", None)


def test_a_back_dated_code_under_a_stolen_key_is_not_registered(own: House) -> None:
    earlier = own.claims.issued_at - timedelta(days=30)
    forged = own.claims.model_copy(update={"number": Number.parse(other_number()), "issued_at": earlier})
    stolen_at = own.world.at - timedelta(days=1)
    own.world.publish(lambda entry: revoked(entry, own, stolen_at))
    found = own.judge(own.key.sign(forged))
    assert (found.code, found.reason) == (Code.NOT_REGISTERED, "NUMBER_UNKNOWN")
    copied = own.judge(own.key.sign(own.claims.model_copy(update={"destination": "RU"})))
    assert (copied.code, copied.reason) == (Code.NOT_REGISTERED, "CODE_DIFFERS")


def revoked(entry: Any, house: House, at: Any) -> Any:
    if entry.certificate_digest != house.key.certificate.digest:
        return entry
    return entry.model_copy(
        update={"state": SealState.REVOKED, "revoked_at": at, "state_since": at, "reason": "key-compromise"}
    )


def other_number() -> str:
    first = "7K3QF9ZC2M8RX"
    return first + check_character(first)


def test_a_code_that_differs_from_the_register_alarms_its_maker(own: House) -> None:
    own.judge(own.key.sign(own.claims.model_copy(update={"destination": "RU"})))
    assert own.world.services.alarming.is_written()
    with own.world.services.database.read() as tx:
        told = suspicions.page(tx, scope=EVERYTHING, most=9, skip=0)
    assert {(one.number, one.code) for one in told} == {(own.number, "NOT_REGISTERED")}


def test_the_code_of_a_number_that_was_given_up_was_never_issued(own: House) -> None:
    """Signed from the pending row, and never sealed: whoever kept the code holds a number that nobody issued."""
    number = left_pending(own.world)
    (claims,) = paper_keys.claims_of(own.world, number)
    pending = own.judge(own.key.sign(claims))
    assert (pending.code, pending.reason, pending.confirmation) == (Code.INDETERMINATE, "TRY_LATER", None)
    with own.world.services.database.write() as tx:
        confirmations.abandon(tx, number, scope=EVERYTHING, reason="stale", at=own.world.at)
    given_up = own.judge(own.key.sign(claims))
    assert (given_up.code, given_up.confirmation) == (Code.NOT_ISSUED, None)


def test_what_is_withdrawn_and_suspended_is_told_of_paper(own: House) -> None:
    for standing, code in (("suspended", Code.INDETERMINATE), ("withdrawn", Code.WITHDRAWN)):
        for table in ("confirmations", "lines"):
            where = f"SELECT id FROM confirmations WHERE number = '{own.number}'"
            column = "id" if table == "confirmations" else "confirmation_id"
            own.world.change(f"UPDATE {table} SET standing = '{standing}' WHERE {column} IN ({where})")
        assert own.judge(own.code).code is code


def test_codes_of_two_numbers_in_one_picture_are_two_answers(house: House) -> None:
    second = house.world.issue(worlds.fresh(KAZAKHSTAN, 1))
    (claims,) = paper_keys.claims_of(house.world, second.number)
    forged = house.key.sign(claims.model_copy(update={"destination": "RU"}))
    found = house.world.services.verifying.file(picture(house.code, forged))
    assert (found.code, found.number) == (Code.NOT_REGISTERED, second.number)
    (other,) = found.others
    assert (other.code, other.number, other.others) == (Code.PAPER_GENUINE, house.number, ())


def test_a_scan_of_several_sheets_finds_the_code_among_others(house: House) -> None:
    empty = printing.printed(Image.new("L", (900, 700), 255), "scan-200", seed=1)
    found = house.world.services.verifying.file(printing.scanned_pdf(empty, picture(house.code), empty))
    assert (found.code, found.subject) == (Code.PAPER_GENUINE, "paper")


def test_an_altered_file_is_not_rescued_by_a_genuine_code_in_it(house: House) -> None:
    altered = io.BytesIO()
    scan = printing.scanned_pdf(picture(house.code))
    with pikepdf.open(io.BytesIO(house.pdf)) as sealed, pikepdf.open(io.BytesIO(scan)) as sheet:
        sealed.pages.append(sheet.pages[0])
        sealed.save(altered)
    found = house.world.services.verifying.file(altered.getvalue())
    assert (found.code, found.subject, found.paper) == (Code.ALTERED, "file", None)


def test_words_beside_a_scanned_code_make_it_no_paper(house: House) -> None:
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(printing.scanned_pdf(picture(house.code)))) as sheet:
        page = sheet.pages[0]
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources.Font = pikepdf.Dictionary(F1=font)
        page.contents_add(sheet.make_stream(b"BT /F1 12 Tf 50 50 Td (100 vehicles for DE) Tj ET"))
        sheet.save(file)
    found = house.world.services.verifying.file(file.getvalue())
    assert (found.code, found.subject) == (Code.NOT_A_CONFIRMATION, "file")


def test_a_picture_without_a_code_is_unreadable_and_tells_the_number_of_its_short_code(house: House) -> None:
    short = f"https://confirm.example.org/verify#{house.number}"
    found = house.world.services.verifying.file(picture(short))
    assert (found.code, found.reason, found.number) == (Code.UNREADABLE, "NO_SIGNED_CODE", house.number)
    bare = house.world.services.verifying.file(printing.printed(Image.new("L", (400, 400), 255), "scan-200", seed=1))
    assert (bare.code, bare.reason, bare.number) == (Code.UNREADABLE, "NO_SIGNED_CODE", None)


def test_a_licence_that_rests_on_paper_needs_a_review(house: House) -> None:
    question = Question(
        vins=house.claims.vins,
        destination=house.claims.destination,
        exporter=house.claims.exporter,
        applied_on=house.world.at.date(),
        files=(("scan.jpg", picture(house.code)),),
    )
    answer = house.world.services.licence.check(question, network="n")
    assert answer.outcome is Outcome.REVIEW
    assert {row.state for row in answer.rows} == {"unproven"}
    assert answer.sources[0].verdict.code is Code.PAPER_GENUINE
    other = house.world.services.licence.check(
        Question(**{**vars_of(question), "vins": ("1M8GDM9AXKP042788",)}), network="n"
    )
    assert other.outcome is Outcome.FAIL


def test_a_licence_that_rests_on_paper_needs_a_review_though_another_line_of_it_was_replaced(own: House) -> None:
    first, *others = sample(KAZAKHSTAN)["vehicles"]
    newer = own.world.issue({**sample(KAZAKHSTAN), "vehicles": [first], "supersedes": str(own.number)})
    question = Question(
        vins=own.claims.vins,
        destination=own.claims.destination,
        exporter=own.claims.exporter,
        applied_on=own.world.at.date(),
        files=(("newer.pdf", newer.pdf),),
        codes=(own.code,),
    )
    answer = own.world.services.licence.check(question, network="n")
    assert [row.state for row in answer.rows] == ["matched"] + ["unproven"] * len(others)
    assert answer.outcome is Outcome.REVIEW


def vars_of(question: Question) -> dict[str, Any]:
    return {name: getattr(question, name) for name in question.__dataclass_fields__}


def test_typed_codes_have_receipts_that_name_the_code(house: House) -> None:
    verdict = house.judge(house.code)
    made = house.world.services.receipts.of_record(verdict, Asked(), code=house.code)
    assert made is not None
    listed = house.world.services.trust.current(house.world.at)
    told = receipt.examine(made.token.encode(), listed, at=house.world.at)
    assert verdict.paper is not None
    assert told.claims.subject.code_sha256 == verdict.paper.codes[0]  # type: ignore[union-attr]


@pytest.mark.parametrize("behind", [" 2026", "\n12345678", " 收到", "，请核对", ""])
def test_what_a_messenger_puts_behind_a_code_is_none_of_it(house: House, behind: str) -> None:
    assert house.judge(house.code + behind).code is Code.PAPER_GENUINE
    broken = f"{house.code[:300]}\n{house.code[300:]}"
    assert house.judge(broken).code is Code.PAPER_GENUINE


@pytest.mark.parametrize("text", ["", "#", "x" * 5000, "https://confirm.example.org/v#１２３" + "4" * 200])
def test_what_can_be_no_code_is_not_judged(house: House, text: str) -> None:
    if len(text) > 4200 or not text.isascii():
        with pytest.raises(InvalidInput):
            house.judge(text)
    else:
        assert house.judge(text).code is Code.CODE_INVALID


def far_away(house: House, folder: Path, *, later: timedelta = timedelta(hours=1)) -> wiring.Offline:
    """A verifier without network, with the bundle of this hour; it is asked a while later."""
    house.world.services.bundling.make(folder / "whole.bundle")
    at = house.world.at + later
    away = wiring.wire_offline(house.world.settings, folder=folder / "node", clock=lambda: at)
    root = trust.read_root(house.world.settings.trust_root_path.read_bytes())
    away.shelf.take(io.BytesIO((folder / "whole.bundle").read_bytes()), pinned=(root,))
    return away


def test_paper_is_genuine_offline_too_and_its_own_vins_are_compared(own: House, tmp_path: Path) -> None:
    away = far_away(own, tmp_path)
    scan = picture(own.code)
    found = away.verifying.file(scan, Asked(vins=own.claims.vins[:1], destination=own.claims.destination))
    assert (found.code, found.notices) == (Code.PAPER_GENUINE, ("STANDING_AS_OF",))
    assert found.paper is not None
    assert found.paper.vins == own.claims.vins
    other = away.verifying.file(scan, Asked(vins=("1M8GDM9AXKP042788",)))
    assert (other.code, other.reason) == (Code.NOT_COVERED, "VIN_NOT_LISTED")
    assert away.lookups.code(own.code).code is Code.PAPER_GENUINE


def test_a_number_that_the_bundle_does_not_hold_and_a_key_that_its_list_does_not_are_doubts(
    own: House, tmp_path: Path
) -> None:
    away = far_away(own, tmp_path)
    later = own.claims.model_copy(update={"number": Number.parse(other_number())})
    found = away.lookups.code(own.key.sign(later))
    assert found.code is Code.INDETERMINATE
    own.world.at += timedelta(minutes=30)
    newer = later.model_copy(update={"issued_at": own.world.at})
    unlisted = away.lookups.code(paper_keys.make(own.world.at).sign(newer))
    assert (unlisted.code, unlisted.reason) == (Code.INDETERMINATE, "TRUST_LIST_OLDER_THAN_SEAL")


def test_codes_of_a_revoked_key_prove_nothing_offline_however_they_are_dated(own: House, tmp_path: Path) -> None:
    """Also beside the number, time and digest of a record that the bundle holds: the VINs are the thief's."""
    own.world.publish(lambda entry: revoked(entry, own, own.world.at))
    away = far_away(own, tmp_path)
    forged = own.claims.model_copy(update={"vins": ("1M8GDM9AXKP042788",)})
    for claims in (own.claims, forged):
        found = away.lookups.code(own.key.sign(claims))
        assert (found.code, found.reason, found.confirmation) == (Code.INDETERMINATE, "CODE_KEY_REVOKED", None)
        assert found.paper is not None
        assert found.paper.vins == ()


def test_bombs_and_other_pictures_are_unreadable_and_end_soon(house: House) -> None:
    huge = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(huge, "PNG")
    for data, reason in ((huge.getvalue(), "TOO_LARGE"), (b"\xff\xd8\xff" + b"\0" * 99, "BAD_PICTURE")):
        found = house.world.services.verifying.file(data)
        assert (found.code, found.reason) == (Code.UNREADABLE, reason)


def test_a_sealed_file_that_was_printed_and_scanned_is_genuine_paper(house: House) -> None:
    """By the code that issuing put on it, under the maker's own key: nothing of this test's making is on the page."""
    sheet = printing.printed(printing.rendered(house.pdf), "scan-200", seed=1)
    found = house.world.services.verifying.file(sheet)
    assert (found.code, found.number) == (Code.PAPER_GENUINE, house.number)
    assert found.paper is not None
    assert found.paper.vins == house.claims.vins
