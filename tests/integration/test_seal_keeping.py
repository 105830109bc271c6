"""Seals are enrolled, limited, replaced and retired by their keepers, and a renamed company's are frozen."""

from __future__ import annotations

import sqlite3
import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from world import BEICHEN, KAZAKHSTAN, ROOT, YUNZHOU, World, fresh, sample

from signer.domain.trust import Purpose, SealState
from signer.domain.verdict import Code
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, RuleViolation, SignerError
from signer.register import seals
from signer.services.renaming import Renaming
from signer.services.seals import Keeping, nearest_step
from signer.services.trust import make_test_pki

if TYPE_CHECKING:
    from signer.domain.trust import TrustEntry

PKI = ROOT / "keys.example" / "pki.yaml"
NEW_NAME = "云帆样例汽车股份有限公司"
REFUSED = (sqlite3.Error, psycopg.Error)
BOTH = Keeping(manufacturer=YUNZHOU, by="keeper.one", second="keeper.two")


@pytest.fixture
def kept(world: World) -> World:
    """A world in which two people keep the seals of the first manufacturer."""
    world.give("operator", "keeper.one", "keeper.two")
    return world


def digest_of(world: World, maker: int = 1) -> str:
    ((digest,),) = world.rows(f"SELECT certificate_digest FROM seals WHERE manufacturer_id = {maker}")
    return str(digest)


def another_certificate(
    world: World, *, name: str = YUNZHOU, maker: str = "yunzhou-2", days: int = 1095
) -> tuple[str, str]:
    """Make one more seal for the first manufacturer and list it; return its digest and where its key is."""
    described = yaml.safe_load(PKI.read_bytes())
    first = next(each for each in described["makers"] if each["legal_name"] == YUNZHOU)
    described["makers"].append({**first, "id": maker, "legal_name": name, "days": days})
    before = {entry.certificate_digest for entry in world.services.trust.current(world.at).entries}
    refs = make_test_pki(world.settings, yaml.safe_dump(described, allow_unicode=True).encode(), at=world.at)
    ((digest, ref),) = [(digest, ref) for digest, ref in refs.items() if digest not in before]
    return digest, ref


def events(world: World, like: str) -> list[tuple[Any, ...]]:
    return world.rows(f"SELECT event, actor, subject FROM audit WHERE event LIKE '{like}' ORDER BY id")


def test_rotation_seals_with_the_new_certificate_and_leaves_the_old_one_s_papers_valid(kept: World) -> None:
    old, before = digest_of(kept), kept.issue(fresh(KAZAKHSTAN, 1))
    kept.services.seal_keeping.limit(old, 50, asked=BOTH)
    kept.at += timedelta(days=1)
    new, ref = another_certificate(kept)
    assert kept.services.seal_keeping.rotate(old[:8], new[:12], key_ref=ref, asked=BOTH) == (old, new)
    kept.at += timedelta(minutes=1)
    after = kept.issue(fresh(KAZAKHSTAN, 2))
    assert kept.verify(after.pdf).code is Code.VALID
    told = kept.verify(before.pdf)
    assert (told.code, told.notices) == (Code.VALID_WITH_NOTICE, ("SEAL_VERIFY_ONLY",))
    assert kept.rows("SELECT seal_digest FROM seal_uses ORDER BY id") == [(old,), (new,)]
    shown = {each.kept.certificate_digest: each for each in kept.services.seal_keeping.all(YUNZHOU)}
    assert [(shown[which].state, shown[which].kept.monthly_limit) for which in (old, new)] == [
        (SealState.VERIFY_ONLY, 50),
        (SealState.ACTIVE, 50),
    ]
    assert events(kept, "seal.rotated") == [("seal.rotated", "keeper.one", old[:16])]


def test_what_a_retired_seal_sealed_afterwards_is_refused(kept: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seal retired between transaction 1 and the self-check: the paper does not leave the house."""
    old, sealing = digest_of(kept), kept.services.issuing._seals.seal

    def retire_then_seal(*given: Any, **named: Any) -> Any:
        kept.services.seal_keeping.retire(old, asked=BOTH)
        kept.at += timedelta(seconds=2)
        return sealing(*given, **named)

    monkeypatch.setattr(kept.services.issuing._seals, "seal", retire_then_seal)
    with pytest.raises(SignerError, match="SEALED_AFTER_VERIFY_ONLY"):
        kept.issue(sample(KAZAKHSTAN))
    assert kept.rows("SELECT standing FROM confirmations") == [("abandoned",)]


def test_a_retired_seal_seals_nothing_and_never_comes_back(kept: World) -> None:
    issued, old = kept.issue(sample(KAZAKHSTAN)), digest_of(kept)
    kept.at += timedelta(hours=1)
    kept.services.seal_keeping.retire(old, asked=BOTH)
    with pytest.raises(RuleViolation) as caught:
        kept.issue(fresh(KAZAKHSTAN, 1))
    assert {found.rule for found in caught.value.violations} == {"seal.state"}
    assert kept.verify(issued.pdf).code is Code.VALID_WITH_NOTICE
    with pytest.raises(Conflict, match="already"):
        kept.services.seal_keeping.retire(old, asked=BOTH)
    with pytest.raises((NotFound, Conflict)):
        kept.services.ending.suspend_seal(old, manufacturer=YUNZHOU, by="lin.sample")
    for state in ("active", "suspended"):
        with pytest.raises(REFUSED, match="never seals again"):
            kept.change(f"UPDATE seals SET state = '{state}' WHERE certificate_digest = '{old}'")


def test_a_seal_that_a_document_names_cannot_be_deleted_and_an_unused_one_can(kept: World) -> None:
    kept.issue(sample(KAZAKHSTAN))
    with pytest.raises(REFUSED, match="a document names this seal"):
        kept.change("DELETE FROM seals WHERE manufacturer_id = 1")
    kept.change("DELETE FROM seals WHERE manufacturer_id = 2")
    assert kept.rows("SELECT manufacturer_id FROM seals") == [(1,)]


def test_rotation_changes_nothing_when_the_new_key_is_not_what_it_should_be(kept: World) -> None:
    old = digest_of(kept)
    new, ref = another_certificate(kept)
    other = digest_of(kept, 2)
    keep = kept.services.seal_keeping
    wrong: list[tuple[str, str, Keeping, type[SignerError], str]] = [
        (new, "seals/none.p12", BOTH, SignerError, "No such file"),
        (new, _ref(kept, old), BOTH, SignerError, "not that of the seal"),
        ("0" * 64, ref, BOTH, NotFound, "publish a list"),
        (other, ref, BOTH, InvalidInput, "not .*'s: the trust list gives it to"),
        (old, _ref(kept, old), BOTH, InvalidInput, "the old seal"),
        (new, ref, Keeping(manufacturer=YUNZHOU, by="keeper.one", second="keeper.one"), NotPermitted, "second person"),
        (new, ref, Keeping(manufacturer=YUNZHOU, by="keeper.one", second="lin.sample"), NotPermitted, "lin.sample"),
        (new, ref, Keeping(manufacturer=YUNZHOU, by="chen.sample", second="keeper.two"), NotPermitted, "chen.sample"),
        (new, ref, Keeping(manufacturer=BEICHEN, by="keeper.one", second="keeper.two"), NotFound, "no seal"),
    ]
    for certificate, key_ref, asked, error, says in wrong:
        with pytest.raises(error, match=says):
            keep.rotate(old, certificate, key_ref=key_ref, asked=asked)
    assert kept.rows("SELECT certificate_digest, state FROM seals WHERE manufacturer_id = 1") == [(old, "active")]
    assert events(kept, "seal.rot%") == []


def _ref(world: World, digest: str) -> str:
    ((ref,),) = world.rows(f"SELECT key_ref FROM seals WHERE certificate_digest = '{digest}'")
    return str(ref)


def _listed_otherwise(world: World, digest: str, **changes: object) -> None:
    def changed(entry: TrustEntry) -> TrustEntry:
        return entry.model_copy(update=changes) if entry.certificate_digest == digest else entry

    world.publish(changed)
    world.rewire()


def test_a_seal_is_added_only_as_the_list_in_use_allows(kept: World) -> None:
    new, ref = another_certificate(kept)
    later = kept.at + timedelta(days=1)
    _listed_otherwise(kept, new, state=SealState.SUSPENDED, state_since=kept.at)
    with pytest.raises(Conflict, match="suspended"):
        kept.services.seal_keeping.add(new, key_ref=ref, asked=BOTH)
    _listed_otherwise(kept, new, state=SealState.ACTIVE, until_at=later)
    assert kept.services.seal_keeping.add(new, key_ref=ref, asked=BOTH) == new
    with pytest.raises(Conflict, match="enrolled already"):
        kept.services.seal_keeping.add(new, key_ref=ref, asked=BOTH)
    assert events(kept, "seal.enrolled")[-1] == ("seal.enrolled", "keeper.one", new[:16])


def test_a_certificate_that_has_ended_or_not_begun_is_refused_with_its_date(kept: World) -> None:
    new, ref = another_certificate(kept, days=2)
    kept.at += timedelta(days=3)
    with pytest.raises(SignerError, match="certificate expired at 2026-11-2"):
        kept.services.seal_keeping.add(new, key_ref=ref, asked=BOTH)
    kept.at -= timedelta(days=3, hours=2)
    kept.publish(forget=True, issued=kept.at, expires=kept.at + timedelta(days=20))
    kept.rewire()
    with pytest.raises(SignerError, match="not valid before 2026-11-2"):
        kept.services.seal_keeping.add(new, key_ref=ref, asked=BOTH)


def test_a_renamed_company_s_seal_is_frozen_and_a_new_one_in_its_new_name_seals(kept: World) -> None:
    before, old, people = kept.issue(fresh(KAZAKHSTAN, 1)), digest_of(kept), ("chen.sample", "lin.sample")
    kept.at += timedelta(days=1)
    renaming = Renaming(
        legal_name=NEW_NAME,
        legal_name_en="Yunfan Sample Automobile Co., Ltd.",
        until=date(2026, 11, 22),
        evidence="样例登记机关变更通知书 2026-11-22",
        announcement="第四百批 样例序号 1",
    )
    record, frozen = kept.services.seal_keeping.rename(renaming, asked=BOTH)
    assert (record.legal_name, record.former_names[-1].legal_name, frozen) == (NEW_NAME, YUNZHOU, (old,))
    told = kept.verify(before.pdf)
    assert (told.code, told.notices) == (Code.VALID_WITH_NOTICE, ("SEAL_VERIFY_ONLY",))
    kept.at += timedelta(minutes=5)
    draft = {**fresh(KAZAKHSTAN, 2), "manufacturer": NEW_NAME}
    asked = {"preparer": people[0], "approver": people[1]}
    with pytest.raises(RuleViolation) as caught:
        kept.issue(draft, by=NEW_NAME, **asked)
    assert {found.rule for found in caught.value.violations} == {"seal.state", "seal.not-bound"}
    new, ref = another_certificate(kept, name=NEW_NAME, maker="yunfan")
    asked_new = Keeping(manufacturer=NEW_NAME, by="keeper.one", second="keeper.two")
    kept.services.seal_keeping.add(new, key_ref=ref, asked=asked_new)
    issued = kept.issue(draft, by=NEW_NAME, **asked)
    assert "issuer.former-name" in {found.rule for found in issued.findings}
    assert kept.verify(issued.pdf).code is Code.VALID
    assert events(kept, "manufacturer.%") == [("manufacturer.renamed", "keeper.one", record.uscc)]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"legal_name": YUNZHOU}, "the name that the company has"),
        ({"until": date(2027, 1, 1)}, "after today"),
        ({"evidence": ""}, "evidence"),
        ({"legal_name": "x" * 200}, "legal_name"),
    ],
)
def test_a_rename_needs_a_new_name_a_day_that_was_and_evidence(kept: World, changes: dict[str, Any], says: str) -> None:
    given: dict[str, Any] = {
        "legal_name": NEW_NAME,
        "legal_name_en": None,
        "until": date(2026, 11, 21),
        "evidence": "样例",
        "announcement": "样例",
    }
    with pytest.raises(InvalidInput, match=says):
        kept.services.seal_keeping.rename(Renaming(**{**given, **changes}), asked=BOTH)
    assert kept.rows("SELECT state FROM seals WHERE manufacturer_id = 1") == [("active",)]


def test_the_monthly_limit_is_reached_exactly_by_eight_at_once(kept: World) -> None:
    kept.services.seal_keeping.limit(digest_of(kept), 3, asked=BOTH)
    outcomes: list[str] = []

    def issue(turn: int) -> None:
        mine = kept.another()
        try:
            mine.issue(fresh(KAZAKHSTAN, turn))
            outcomes.append("issued")
        except RuleViolation as error:
            outcomes.append(error.violations[0].rule)
        finally:
            mine.services.database.close()

    threads = [threading.Thread(target=issue, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["issued"] * 3 + ["seal.monthly-limit"] * 5
    assert kept.rows("SELECT count(*) FROM seal_uses") == [(3,)]
    assert kept.rows("SELECT count(*) FROM confirmations") == [(3,)]


def test_two_that_passed_the_rules_together_cannot_both_take_the_last_use(kept: World) -> None:
    kept.services.seal_keeping.limit(digest_of(kept), 1, asked=BOTH)
    issuing = kept.services.issuing
    first, second = (issuing._prepare(kept.order(fresh(KAZAKHSTAN, turn))) for turn in (1, 2))
    issuing._reserve(first)
    with pytest.raises(RuleViolation, match="1 times in 2026-11"):
        issuing._reserve(second)
    assert kept.rows("SELECT count(*) FROM confirmations") == [(1,)]


def test_a_limit_alarms_at_four_fifths_and_begins_anew_with_the_month_in_beijing(
    kept: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = digest_of(kept)
    kept.services.seal_keeping.limit(digest, 5, asked=BOTH)
    for turn in range(3):
        kept.issue(fresh(KAZAKHSTAN, turn))
    assert "seal.near-limit" not in capsys.readouterr().out
    kept.issue(fresh(KAZAKHSTAN, 3))
    assert "seal.near-limit" in capsys.readouterr().out
    assert kept.services.seal_keeping.all(YUNZHOU)[0].warnings == ("monthly limit nearly reached",)
    kept.issue(fresh(KAZAKHSTAN, 4))
    symptoms = [found.detail for found in kept.services.doctor.examine() if digest[:16] in found.part]
    assert any("used 5 of 5 times this month: nothing more" in detail for detail in symptoms)
    with pytest.raises(RuleViolation, match=r"5 times in 2026-11"):
        kept.issue(fresh(KAZAKHSTAN, 5))
    kept.at = kept.at.replace(day=30, hour=15, minute=59)
    with pytest.raises(RuleViolation, match="monthly-limit"):
        kept.issue(sample(KAZAKHSTAN, today=kept.at.date()))
    kept.at += timedelta(minutes=1)
    assert kept.issue(sample(KAZAKHSTAN, today=kept.at.date())).number
    kept.services.seal_keeping.limit(digest, None, asked=BOTH)
    assert kept.services.seal_keeping.all(YUNZHOU)[0].warnings == ()


def test_a_number_whose_sealing_was_cut_off_counts_until_it_is_settled(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.services.seal_keeping.limit(digest_of(kept), 1, asked=BOTH)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(kept.services.issuing._seals, "seal", die)
        with pytest.raises(KeyboardInterrupt):
            kept.issue(fresh(KAZAKHSTAN, 1))
    with pytest.raises(RuleViolation, match="monthly-limit"):
        kept.issue(fresh(KAZAKHSTAN, 2))
    kept.at += timedelta(minutes=11)
    assert [settled.outcome for settled in kept.services.maintaining.settle()] == ["finished"]
    assert kept.services.seal_keeping.all(YUNZHOU)[0].kept.used == 1


@pytest.mark.parametrize("limit", [0, -1, 10_000_001])
def test_a_limit_is_a_number_of_uses(kept: World, limit: int) -> None:
    with pytest.raises(InvalidInput, match="whole number"):
        kept.services.seal_keeping.limit(digest_of(kept), limit, asked=BOTH)


def test_only_keepers_of_the_manufacturer_see_to_its_seals(kept: World) -> None:
    keep, digest = kept.services.seal_keeping, digest_of(kept)
    with pytest.raises(NotPermitted):
        keep.limit(digest, 3, asked=Keeping(manufacturer=YUNZHOU, by="lin.sample"))
    with pytest.raises(NotPermitted):
        keep.limit(digest_of(kept, 2), 3, asked=Keeping(manufacturer=BEICHEN, by="keeper.one"))
    with pytest.raises(NotFound):
        keep.limit(digest_of(kept, 2), 3, asked=BOTH)
    with pytest.raises(NotFound):
        keep.limit(digest[:7], 3, asked=BOTH)


def test_a_certificate_s_end_is_told_at_90_30_and_7_days(kept: World) -> None:
    assert [nearest_step(days) for days in (91, 90, 31, 30, 8, 7, 0, -1, None)] == [
        None, 90, 90, 30, 30, 7, 7, 0, None,
    ]  # fmt: skip
    (not_after,) = {each.not_after for each in kept.services.seal_keeping.all(YUNZHOU)}
    assert not_after is not None
    found = []
    for days in (91, 89, 29, 6):
        kept.at = not_after - timedelta(days=days)
        found.append(kept.services.seal_keeping.all(YUNZHOU)[0].warnings)
    ends = [(f"certificate ends within {days} days",) for days in (90, 30, 7)]
    assert found == [(), *ends]


def test_a_seal_that_was_suspended_counts_again_when_its_time_is_over(kept: World) -> None:
    digest = digest_of(kept)
    kept.services.ending.suspend_seal(digest, manufacturer=YUNZHOU, by="chen.sample")
    with kept.services.database.read() as tx:
        found = [seals.standing_of(tx, digest, at=kept.at + timedelta(hours=hours)) for hours in (71, 72)]
        assert [state and state[0] for state in found] == [SealState.SUSPENDED, SealState.ACTIVE]
        assert seals.standing_of(tx, "0" * 64, at=kept.at) is None


def test_a_seal_suspended_between_the_rules_and_transaction_1_costs_no_number(kept: World) -> None:
    digest = digest_of(kept)
    ready = kept.services.issuing._prepare(kept.order(sample(KAZAKHSTAN)))
    kept.services.ending.suspend_seal(digest, manufacturer=YUNZHOU, by="chen.sample")
    with pytest.raises(Conflict, match="became suspended"):
        kept.services.issuing._reserve(ready)
    assert kept.rows("SELECT count(*) FROM confirmations") == [(0,)]


def test_the_seals_of_the_list_are_shown_with_their_profile(kept: World) -> None:
    shown = kept.services.seal_keeping.all()
    listed = kept.services.trust.current(kept.at).of(Purpose.PDF_SEAL)
    assert {each.kept.certificate_digest: each.naming_profile for each in shown} == {
        entry.certificate_digest: entry.naming_profile for entry in listed
    }
    assert {each.legal_name for each in shown} == {YUNZHOU, BEICHEN}
