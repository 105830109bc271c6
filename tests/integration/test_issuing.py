"""Issuing, on a real register with real keys: what comes out, and what is refused leaving nothing behind."""

from __future__ import annotations

import copy
import io
import json
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
import world as worlds
from world import EMIRATES, HAIYI, KAZAKHSTAN, ROOT, TIANSHAN, YUNZHOU, World, sample

from signer import wiring
from signer.domain.evidence import Form, SealFacts
from signer.domain.verdict import Code
from signer.errors import (
    Conflict,
    InvalidInput,
    KeyUnavailable,
    Misconfigured,
    RegisterUnavailable,
    RuleViolation,
    SelfCheckFailed,
    StorageUnavailable,
    TimestampUnavailable,
)
from signer.register import confirmations
from signer.seal.fast import judge as fast
from signer.verification import report

PKI = ROOT / "keys.example" / "pki.yaml"

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMIT_OF_RECORD = {"sqlite": 2, "postgresql": 3}
"""Which write of an issue is transaction 2: the log is one before it, on PostgreSQL the sealed file itself too."""


def is_untouched(world: World) -> bool:
    """Tell that nothing was written: no number, no claim, no file, no use of the seal."""
    tables = ("confirmations", "lines", "vin_claims", "files", "seal_uses", "approvals", "log_queue", "idempotency")
    return all(world.rows(f"SELECT count(*) FROM {table}") == [(0,)] for table in tables)


def refused(world: World, plain: Any, **how: str) -> set[tuple[str, str]]:
    """Return (rule, pointer) of everything that a draft was refused for; nothing may have been written."""
    with pytest.raises(RuleViolation) as caught:
        world.issue(plain, **how)
    assert is_untouched(world)
    return {(found.rule, found.pointer) for found in caught.value.violations}


def test_a_sample_is_sealed_with_a_timestamp_and_verifies(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    verdict = world.verify(issued.pdf)
    assert (verdict.code, verdict.number, issued.level) == (Code.VALID, issued.number, "B-LT")
    assert verdict.issuer is not None
    assert verdict.issuer.name == YUNZHOU
    assert verdict.test


@pytest.mark.parametrize("name", [KAZAKHSTAN, EMIRATES])
def test_what_is_issued_has_the_shape_that_the_fast_path_knows(world: World, name: str) -> None:
    issued = world.issue(sample(name))
    assert fast.examine(issued.pdf, world.services.trust.current(world.at), world.at).result.level == issued.level


def test_every_use_of_the_seal_stands_in_the_seal_register(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    assert world.rows("SELECT number, preparer_id, approver_id, origin FROM seal_uses") == [
        (issued.number, "chen.sample", "lin.sample", "test")
    ]


def test_a_later_copy_is_the_same_bytes(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    assert world.services.issuing.fetch(issued.number) == issued.pdf


def test_the_attachment_is_the_register_s_content(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    with pikepdf.open(io.BytesIO(issued.pdf)) as pdf:
        attached = pdf.attachments["confirmation.json"].get_file().read_bytes()
    assert world.rows("SELECT content FROM confirmations") == [(attached,)]


def test_the_same_key_gives_the_same_document_and_another_draft_is_a_conflict(world: World) -> None:
    first = world.issue(sample(KAZAKHSTAN), key="order-1")
    again = world.issue(sample(KAZAKHSTAN), key="order-1")
    assert (again.number, again.pdf, again.is_replay) == (first.number, first.pdf, True)
    other = sample(KAZAKHSTAN)
    other["contract"] = "another"
    with pytest.raises(Conflict, match="another payload"):
        world.issue(other, key="order-1")


def test_a_vin_in_force_is_a_conflict_that_names_its_number(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    with pytest.raises(Conflict, match=issued.number):
        world.issue(sample(KAZAKHSTAN))


def test_superseding_moves_one_vin_and_leaves_the_others_in_force(world: World) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    moved = sample(KAZAKHSTAN)
    moved["vehicles"] = moved["vehicles"][2:]
    moved["destination"] = {"country": "AE"}
    moved["supersedes"] = first.number
    second = world.issue(moved)
    assert world.verify(second.pdf).code is Code.VALID
    older = world.verify(first.pdf)
    assert (older.code, older.successor) == (Code.PARTLY_SUPERSEDED, None)
    assert world.verify(first.pdf, exporter=HAIYI).successor is None
    asked = world.verify(first.pdf, exporter=TIANSHAN)
    assert (asked.code, asked.successor) == (Code.PARTLY_SUPERSEDED, second.number)
    plain: Any = report.as_json(asked, "en", check_texts={})
    (told,) = (check["text"] for check in plain["checks"] if second.number in check["text"])
    assert "some of its vehicles were replaced on 2026-" in told
    vins = [vehicle["vin"] for vehicle in sample(KAZAKHSTAN)["vehicles"]]
    assert world.verify(first.pdf, vins=tuple(vins[:2])).code is Code.VALID_WITH_NOTICE
    assert world.verify(first.pdf, vins=(vins[2],)).code is Code.SUPERSEDED
    claims = world.rows("SELECT count(*) FROM vin_claims WHERE slot = 'live'")
    assert claims == [(3,)]


@pytest.mark.parametrize("day", [180, 181])
def test_the_window_counts_days_to_the_application(world: World, day: int) -> None:
    plain = sample(KAZAKHSTAN)
    registered = worlds.AT.date() - timedelta(days=82)
    for vehicle in plain["vehicles"]:
        vehicle["registered_on"] = str(registered)
    plain["application_planned_on"] = str(registered + timedelta(days=day))
    rules = {found.rule for found in world.issue(plain).findings}
    assert ("window.voluntary" in rules) is (day == 181)


def _edited(name: str, edit: Callable[[Any], object]) -> Any:
    plain = copy.deepcopy(sample(name))
    edit(plain)
    return plain


def test_all_that_is_wrong_is_told_at_once(world: World) -> None:
    plain = sample(KAZAKHSTAN)
    plain["vehicles"][0]["vin"] = plain["vehicles"][0]["vin"][:16]
    plain["vehicles"][1]["registered_on"] = "2026/2/30"
    plain["vehicles"][2]["certificate_manufacturer"] = "云舟样例汽车有限公司销售分公司"
    plain["destination"]["country"] = "CN"
    found = refused(world, plain)
    assert {("vin.length", "/vehicles/0/vin"), ("country.domestic", "/destination/country")} <= found
    assert ("date.invalid", "/vehicles/1/registered_on") in found
    assert ("issuer.name", "/vehicles/2/certificate_manufacturer") in found


def test_a_wrong_digit_names_position_9(world: World) -> None:
    plain = sample(KAZAKHSTAN)
    plain["vehicles"][0]["vin"] = plain["vehicles"][0]["vin"][:-1] + "9"
    with pytest.raises(RuleViolation, match=r"position 9|9th") as caught:
        world.issue(plain)
    assert [found.rule for found in caught.value.violations] == ["vin.check-digit"]


def test_full_width_brackets_are_the_same_name_and_missing_words_are_not(world: World) -> None:
    assert world.issue(sample(EMIRATES)).number  # its certificate has narrow brackets, the maker's name wide ones
    other = _edited(KAZAKHSTAN, lambda plain: plain["vehicles"][0].update(certificate_manufacturer="云舟样例汽车公司"))
    with pytest.raises(RuleViolation) as caught:
        world.issue(other)
    assert "issuer.name" in {found.rule for found in caught.value.violations}


def test_a_country_without_a_live_outlet_cannot_be_sealed(world: World) -> None:
    plain = _edited(KAZAKHSTAN, lambda plain: plain.update(destination={"country": "OM"}))
    assert "outlet.none" in {rule for rule, _ in refused(world, plain)}


@pytest.mark.parametrize("count", [0, 201])
def test_no_vehicle_and_too_many_are_refused(world: World, count: int) -> None:
    plain = sample(KAZAKHSTAN)
    plain["vehicles"] = [dict(plain["vehicles"][0]) for _ in range(count)]
    rules = {rule for rule, _ in refused(world, plain)}
    assert ("vehicles.none" if count == 0 else "vehicles.too-many") in rules


def test_markup_in_a_name_is_printed_as_it_is(world: World) -> None:
    plain = _edited(KAZAKHSTAN, lambda plain: plain["destination"].update(buyer="<b>*Buyer*</b> #include $x$ \\ & LLP"))
    issued = world.issue(plain)
    record = world.verify(issued.pdf).confirmation
    assert record is not None
    assert record.terms.destination.buyer == "<b>*Buyer*</b> #include $x$ \\ & LLP"


@pytest.mark.parametrize("bad", ["a\u0007b", "a\u202eb", "emoji \U0001f697"])
def test_a_character_that_cannot_be_printed_names_field_and_character(world: World, bad: str) -> None:
    plain = _edited(KAZAKHSTAN, lambda plain: plain["destination"].update(buyer=bad))
    with pytest.raises(RuleViolation, match=r"U\+0007|U\+202E|U\+1F697") as caught:
        world.issue(plain)
    assert {found.pointer for found in caught.value.violations} == {"/destination/buyer"}
    assert is_untouched(world)


def test_preparer_and_approver_are_two_people(world: World) -> None:
    assert "people.same" in {rule for rule, _ in refused(world, sample(KAZAKHSTAN), approver="chen.sample")}
    assert "people.role" in {rule for rule, _ in refused(world, sample(KAZAKHSTAN), approver="sun.sample")}


def test_a_wrong_key_password_costs_no_number(world: World) -> None:
    (world.folder / "keys" / "password").write_bytes(b"wrong")
    world.rewire()
    with pytest.raises(KeyUnavailable, match="password"):
        world.issue(sample(KAZAKHSTAN))
    assert is_untouched(world)


def test_an_expired_seal_certificate_is_refused(world: World) -> None:
    world.at += timedelta(days=1200)
    plain = sample(KAZAKHSTAN, today=world.at.date())
    with pytest.raises((RuleViolation, KeyUnavailable), match="expired"):
        world.issue(plain)
    assert is_untouched(world)


def test_a_certificate_of_another_manufacturer_is_refused(world: World) -> None:
    world.change("UPDATE manufacturers SET record = replace(record, '云舟', '云帆') WHERE id = 1")
    plain = _edited(
        KAZAKHSTAN,
        lambda plain: [
            vehicle.update(certificate_manufacturer="云帆样例汽车股份有限公司") for vehicle in plain["vehicles"]
        ],
    )
    plain["manufacturer"] = "云帆样例汽车股份有限公司"
    with pytest.raises(RuleViolation) as caught:
        world.issue(plain, by="云帆样例汽车股份有限公司", preparer="chen.sample", approver="lin.sample")
    assert "seal.not-bound" in {found.rule for found in caught.value.violations}


@pytest.mark.parametrize("url", ["", "http://confirm.example.com", "https://localhost:8000", "https://10.0.0.8"])
def test_production_never_seals_a_local_address(world: World, url: str) -> None:
    world.overrides = {"SIGNER_MODE": "production", "SIGNER_BASE_URL": url}
    world.rewire()
    with pytest.raises(InvalidInput, match="SIGNER_BASE_URL"):
        world.issue(sample(KAZAKHSTAN))
    assert is_untouched(world)


def test_production_does_not_take_a_test_trust_list(world: World) -> None:
    world.overrides = {"SIGNER_MODE": "production", "SIGNER_BASE_URL": "https://confirm.example.com"}
    world.rewire()
    with pytest.raises(Misconfigured, match="TEST"):
        world.issue(sample(KAZAKHSTAN))
    assert is_untouched(world)


def test_without_an_authority_require_seals_nothing_and_ends_the_number_abandoned(world: World) -> None:
    world.overrides = {"SIGNER_TSA_URLS": "http://127.0.0.1:9"}
    world.rewire()
    with pytest.raises(TimestampUnavailable) as caught:
        world.issue(sample(EMIRATES))  # its manufacturer demands a timestamp
    ((number, standing, reason),) = world.rows("SELECT number, standing, end_reason FROM confirmations")
    assert standing == "abandoned"
    assert "timestamp-unavailable" in reason
    assert any(number in note for note in caught.value.__notes__)
    assert world.rows("SELECT count(*) FROM files") == world.rows("SELECT count(*) FROM vin_claims") == [(0,)]


def test_without_an_authority_best_effort_seals_with_a_notice(world: World) -> None:
    world.overrides = {"SIGNER_TSA_URLS": "http://127.0.0.1:9"}
    world.rewire()
    issued = world.issue(sample(KAZAKHSTAN))
    verdict = world.verify(issued.pdf)
    assert (issued.level, verdict.code, verdict.notices) == ("B-B", Code.VALID_WITH_NOTICE, ("NO_TIMESTAMP",))


def test_an_abandoned_number_is_free_for_the_vehicle_and_lost_for_ever(world: World) -> None:
    world.overrides = {"SIGNER_TSA_URLS": "http://127.0.0.1:9"}
    world.rewire()
    with pytest.raises(TimestampUnavailable):
        world.issue(sample(EMIRATES))
    world.overrides = {}
    world.rewire()
    issued = world.issue(sample(EMIRATES))
    numbers = {number for (number,) in world.rows("SELECT number FROM confirmations")}
    assert issued.number in numbers
    assert len(numbers) == 2


def left_pending(world: World, monkeypatch: pytest.MonkeyPatch, *, key: str | None = None) -> str:
    """Let the process end between reserve and record; wire again."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(world.services.issuing._seals, "seal", die)
    with pytest.raises(KeyboardInterrupt):
        world.issue(sample(KAZAKHSTAN), key=key)
    ((number, standing),) = world.rows("SELECT number, standing FROM confirmations")
    assert standing == "pending"
    world.rewire()
    return str(number)


def test_maintenance_finishes_what_was_cut_off_under_its_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = left_pending(world, monkeypatch, key="k")
    assert world.services.maintaining.settle() == ()
    with pytest.raises(Conflict, match="right now"):
        world.issue(sample(KAZAKHSTAN), key="k")
    world.at += timedelta(minutes=11)
    (settled,) = world.services.maintaining.settle()
    assert (settled.number, settled.outcome) == (number, "finished")
    replay = world.issue(sample(KAZAKHSTAN), key="k")
    assert (replay.number, replay.is_replay, world.verify(replay.pdf).code) == (number, True, Code.VALID)
    assert world.rows("SELECT preparer_id, approver_id, origin FROM seal_uses") == [
        ("chen.sample", "lin.sample", "maintenance")
    ]
    assert world.services.maintaining.settle() == ()


def _older(world: World) -> None:
    world.at += timedelta(hours=25)


def _other_page(world: World) -> None:
    world.services.maintaining._page = type("Page", (), {"digest": bytes(32)})()  # type: ignore[assignment]


def _suspended(world: World) -> None:
    world.change("UPDATE seals SET state = 'suspended'")


@pytest.mark.parametrize(("cause", "reason"), [(_older, "24 h"), (_other_page, "otherwise"), (_suspended, "suspended")])
def test_what_cannot_be_finished_is_abandoned_and_its_number_never_used(
    world: World, monkeypatch: pytest.MonkeyPatch, cause: Callable[[World], None], reason: str
) -> None:
    number = left_pending(world, monkeypatch)
    world.at += timedelta(minutes=11)
    cause(world)
    (settled,) = world.services.maintaining.settle()
    assert (settled.number, settled.outcome, reason in settled.reason) == (number, "abandoned", True)
    world.change("UPDATE seals SET state = 'active'")
    assert world.issue(sample(KAZAKHSTAN)).number != number


def test_what_cannot_be_finished_now_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    number = left_pending(world, monkeypatch)
    world.at += timedelta(minutes=11)
    password = world.folder / "keys" / "password"
    kept = password.read_bytes()
    password.write_bytes(b"wrong")
    assert [(one.number, one.outcome) for one in world.services.maintaining.settle()] == [(number, "waiting")]
    password.write_bytes(kept)
    assert [(one.number, one.outcome) for one in world.services.maintaining.settle()] == [(number, "finished")]


def test_a_commit_whose_answer_is_lost_is_looked_up_and_not_doubled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = world.services.database.write
    world.services.sequencing.run()  # the log has begun
    count = iter(range(10))

    @contextmanager
    def lossy(**given: Any) -> Iterator[Any]:
        with write(**given) as tx:
            yield tx
        if next(count) == COMMIT_OF_RECORD[world.services.database.dialect]:
            raise RegisterUnavailable("connection lost on commit")

    monkeypatch.setattr(world.services.database, "write", lossy)
    issued = world.issue(sample(KAZAKHSTAN))
    assert world.rows("SELECT number, standing FROM confirmations") == [(issued.number, "issued")]
    assert world.rows("SELECT count(*) FROM seal_uses") == [(1,)]


def test_a_commit_that_did_not_take_place_ends_the_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object, **__: object) -> None:
        raise RegisterUnavailable("connection lost")

    monkeypatch.setattr(confirmations, "record", lost)
    with pytest.raises(RegisterUnavailable) as caught:
        world.issue(sample(KAZAKHSTAN))
    assert "abandoned" in caught.value.__notes__[0]
    assert world.rows("SELECT standing FROM confirmations") == [("abandoned",)]


def test_a_use_of_the_seal_whose_file_fails_afterwards_stands_in_the_seal_register(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: bytes) -> bytes:
        raise StorageUnavailable("full")

    monkeypatch.setattr(world.services.issuing._blobs, "put", full)
    with pytest.raises(StorageUnavailable):
        world.issue(sample(KAZAKHSTAN))
    ((number, standing),) = world.rows("SELECT number, standing FROM confirmations")
    assert standing == "abandoned"
    assert world.rows("SELECT number, approver_id FROM seal_uses") == [(number, "lin.sample")]


def _trust_list_with(world: World, digest: str, **changes: object) -> None:
    """Make the list one in which an entry has always been otherwise."""
    world.publish(
        lambda entry: entry.model_copy(update=changes) if entry.certificate_digest == digest else entry, forget=True
    )
    world.rewire()


def test_a_renamed_manufacturer_cannot_use_a_pinned_seal_of_its_old_name(world: World) -> None:
    ((digest,),) = world.rows("SELECT certificate_digest FROM seals WHERE manufacturer_id = 1")
    _trust_list_with(
        world, digest, naming_profile="pinned", naming_evidence="two persons compared it with the register"
    )
    parties = json.loads(worlds.as_bytes(sample("register")))
    parties["manufacturers"][0]["record"]["legal_name"] = "云帆样例汽车股份有限公司"
    world.services.people.load(worlds.as_bytes(parties), actor="test")
    plain = _edited(
        KAZAKHSTAN,
        lambda plain: [
            vehicle.update(certificate_manufacturer="云帆样例汽车股份有限公司") for vehicle in plain["vehicles"]
        ],
    )
    plain["manufacturer"] = "云帆样例汽车股份有限公司"
    people = {"preparer": "chen.sample", "approver": "lin.sample"}
    assert ("seal.not-bound", "") in refused(world, plain, by="云帆样例汽车股份有限公司", **people)


def test_production_without_an_authority_for_timestamps_costs_no_number(world: World) -> None:
    witnesses = world.services.issuing._seals._witnesses
    witnesses._settings = witnesses._settings.model_copy(update={"mode": "production"})
    with pytest.raises(InvalidInput, match="SIGNER_TSA_URLS"):
        world.issue(sample(KAZAKHSTAN))
    assert is_untouched(world)


@pytest.mark.parametrize("reason", ["TOO_SLOW", "CHILD_DIED"])
def test_a_file_that_no_judge_read_is_not_issued_and_says_why(world: World, reason: str) -> None:
    """As on a machine with too much to do: the answer names the judge's silence, and the next try may succeed."""
    facts = SealFacts(form=Form.UNREADABLE, reason=reason, detail="no answer within the time allowed")
    world.services = wiring.wire(world.settings, clock=lambda: world.at, judge=lambda *_, **__: facts)
    with pytest.raises(SelfCheckFailed, match=reason):
        world.issue(sample(KAZAKHSTAN))
    assert world.rows("SELECT standing FROM confirmations") == [("abandoned",)]
    world.services.database.close()
    world.rewire()
    assert world.issue(sample(KAZAKHSTAN)).number
