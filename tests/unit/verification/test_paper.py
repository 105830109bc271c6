"""The decision about codes on paper, over facts changed one by one: never green, and severity only ever rises."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import KAZAKHSTAN, World, sample

from signer.domain import paper_code
from signer.domain.confirmation import Standing
from signer.domain.evidence import Asked, RegisterFacts, State, Told, TrustFacts
from signer.domain.paper_evidence import CodeFacts, PaperFacts, StatusFacts
from signer.domain.trust import Purpose, SealState
from signer.domain.values import beijing_day
from signer.domain.verdict import Code, Colour, Outcome, Verdict
from signer.verification import paper_checks
from signer.verification.paper import decide, together
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

CALM = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HOUR = timedelta(hours=1)
STRANGE = "1M8GDM9AXKP042788"


def severity(code: Code) -> int:
    """Blue 1, amber 2, INDETERMINATE 3, red 4."""
    if code is Code.INDETERMINATE:
        return 3
    return {Colour.GREEN: 0, Colour.BLUE: 1, Colour.AMBER: 2, Colour.RED: 4}[code.colour]


@pytest.fixture(scope="module")
def genuine(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PaperFacts:
    """What is found of a good code whose confirmation is in force, by the register that issued it."""
    made = World(worlds.copy(template_folder, tmp_path_factory.mktemp("paper") / "data"))
    facts = made.services.verifying.gather(made.issue(sample(KAZAKHSTAN)).pdf)
    made.services.database.close()
    record, seal = facts.register_.record, facts.trust.entry
    assert record is not None
    assert record.confirmation is not None
    assert seal is not None
    entry = seal.model_copy(update={"purpose": Purpose.PAPER, "seal_class": None, "naming_profile": None})
    digest = bytes.fromhex(record.content_digest)
    (claims,) = paper_code.of(record.confirmation, content_digest=digest, status=(1, 77))
    code = CodeFacts(sheet=1, digest="ab" * 32, claims=claims, kid="00" * 8, entry=entry, is_signed=True)
    return PaperFacts(
        at=facts.at,
        today=beijing_day(facts.at),
        codes=(code,),
        register_=facts.register_,
        trust=facts.trust.model_copy(update={"entry": None}),
        place=(1, 77),
    )


def verdict(facts: PaperFacts, asked: Asked | None = None, *, mode: str = "test") -> Verdict:
    return decide(facts, asked or Asked(), Policy(mode=mode))  # type: ignore[arg-type]


def code(facts: PaperFacts, **changes: Any) -> PaperFacts:
    return facts.model_copy(update={"codes": (facts.codes[0].model_copy(update=changes),)})


def claims(facts: PaperFacts, **changes: Any) -> PaperFacts:
    said = facts.codes[0].claims
    assert said is not None
    return code(facts, claims=said.model_copy(update=changes))


def entry(facts: PaperFacts, **changes: Any) -> PaperFacts:
    known = facts.codes[0].entry
    assert known is not None
    return code(facts, entry=known.model_copy(update=changes))


def record(facts: PaperFacts, **changes: Any) -> PaperFacts:
    known = facts.register_.record
    assert known is not None
    return registered(facts, record=known.model_copy(update=changes))


def registered(facts: PaperFacts, **changes: Any) -> PaperFacts:
    return facts.model_copy(update={"register_": facts.register_.model_copy(update=changes)})


def lines(facts: PaperFacts, *standings: Standing) -> PaperFacts:
    known = facts.register_.record
    assert known is not None
    changed = tuple(
        line.model_copy(update={"standing": standing, "ended_at": facts.at, "reason_class": "error"})
        for line, standing in zip(known.lines, standings, strict=True)
    )
    return record(facts, lines=changed)


def offline(facts: PaperFacts, *, is_told: bool = True, **changes: Any) -> PaperFacts:
    """The same facts for a verifier with a bundle as of an hour ago, which knows the record's digest, or nothing."""
    known = facts.register_.record
    assert known is not None
    told = Told(at=facts.at - HOUR, expires=facts.at + 7 * 24 * HOUR)
    (line, *_) = known.lines
    bare = known.model_copy(
        update={"confirmation": None, "lines": (line.model_copy(update={"vin": ""}),), "told": told}
    )
    register = RegisterFacts(source="bundle", as_of=told.at, record=bare if is_told else None)
    return facts.model_copy(update={"register_": register, "place": None, **changes})


def check(found: Verdict, name: str) -> tuple[State, str | None]:
    (one,) = (one for one in found.checks if one.id == name)
    return one.state, one.reason


def test_a_genuine_code_is_blue_and_shows_what_it_says_and_the_record(genuine: PaperFacts) -> None:
    found = verdict(genuine)
    assert (found.code, found.outcome, found.subject, found.reason) == (
        Code.PAPER_GENUINE,
        Outcome.REVIEW,
        "paper",
        None,
    )
    assert found.test
    assert {found.parts.integrity, found.parts.seal, found.parts.standing} == {State.PASSED}
    assert found.confirmation is not None
    assert found.issuer is not None
    assert found.issuer.uscc == found.confirmation.terms.manufacturer.uscc
    assert found.paper is not None
    assert found.paper.vins == found.confirmation.terms.vins
    assert (found.paper.seen, found.paper.pages) == ((1,), 1)
    assert found.seal_report is None
    assert found.proven_at is None


def test_nothing_that_is_asked_makes_paper_green(genuine: PaperFacts) -> None:
    said = genuine.claims
    assert said is not None
    found = verdict(genuine, Asked(vins=tuple(said.vins), destination=said.destination, exporter=said.exporter))
    assert found.code is Code.PAPER_GENUINE
    assert {vin.state for vin in found.coverage.vins} == {"matched"}
    assert (found.coverage.destination, found.coverage.exporter) == ("equal", "equal")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"vins": (STRANGE,)}, "VIN_NOT_LISTED"),
        ({"destination": "DE"}, "OTHER_COUNTRY"),
        ({"exporter": "91110000MA00000000"}, "OTHER_EXPORTER"),
    ],
)
def test_a_code_is_not_for_what_it_does_not_name(genuine: PaperFacts, asked: dict[str, Any], reason: str) -> None:
    for facts in (genuine, offline(genuine)):
        found = verdict(facts, Asked(**asked))
        assert (found.code, found.reason) == (Code.NOT_COVERED, reason)


def test_what_is_no_code_of_ours_is_invalid_and_names_nobody(genuine: PaperFacts) -> None:
    other = CodeFacts(sheet=1, digest="cd" * 32, fault="trailing", detail="3 bytes")
    found = verdict(genuine.model_copy(update={"codes": (other,), "register_": empty(genuine)}))
    assert (found.code, found.reason, found.number, found.issuer) == (Code.CODE_INVALID, "CODE_FORM", None, None)
    assert found.paper is not None
    assert (found.paper.codes, found.paper.vins) == (("cd" * 32,), ())


def empty(facts: PaperFacts) -> RegisterFacts:
    return facts.register_.model_copy(update={"record": None, "number_of_digest": None})


def test_an_altered_code_is_invalid_and_nothing_of_it_is_shown(genuine: PaperFacts) -> None:
    found = verdict(code(genuine, is_signed=False))
    assert (found.code, found.reason, found.issuer) == (Code.CODE_INVALID, "CODE_SIGNATURE", None)
    assert (found.parts.integrity, found.parts.seal) == (State.FAILED, State.UNDETERMINED)
    assert found.confirmation is None
    assert found.paper is not None
    assert found.paper.vins == ()
    assert found.number == genuine.codes[0].claims.number  # type: ignore[union-attr]


def test_a_key_that_no_list_names_is_invalid_where_the_list_is_new_enough_and_a_doubt_elsewhere(
    genuine: PaperFacts,
) -> None:
    unlisted = code(genuine, entry=None, is_signed=False)
    assert (verdict(unlisted).code, verdict(unlisted).reason) == (Code.CODE_INVALID, "CODE_SIGNER")
    expired = unlisted.model_copy(update={"trust": unlisted.trust.model_copy(update={"expires": unlisted.at})})
    assert verdict(expired).code is Code.INDETERMINATE
    away = offline(unlisted)
    assert away.claims is not None
    for age, expected in ((HOUR, Code.INDETERMINATE), (-HOUR, Code.CODE_INVALID), (0 * HOUR, Code.CODE_INVALID)):
        issued = away.claims.issued_at - age
        dated = away.model_copy(update={"trust": away.trust.model_copy(update={"issued": issued})})
        assert verdict(dated).code is expected


def test_a_code_of_one_maker_under_the_key_of_another_is_of_no_listed_seal(genuine: PaperFacts) -> None:
    for facts in (genuine, offline(genuine)):
        found = verdict(entry(facts, uscc="91350200MA00000000", legal_name="别家样例汽车有限公司"))
        assert (found.code, found.reason, found.issuer) == (Code.UNKNOWN_SEAL, "OTHER_MANUFACTURER", None)
        assert found.confirmation is None


def test_a_key_counts_from_when_to_when_the_list_says_by_the_code_s_own_time(genuine: PaperFacts) -> None:
    said = genuine.claims
    assert said is not None
    later = verdict(entry(genuine, from_at=said.issued_at + HOUR))
    assert (later.code, later.reason) == (Code.UNKNOWN_SEAL, "NOT_ENTITLED_THEN")
    over = verdict(entry(genuine, until_at=said.issued_at))
    assert (over.code, over.reason) == (Code.UNKNOWN_SEAL, "NOT_ENTITLED_THEN")
    assert verdict(entry(genuine, until_at=said.issued_at + timedelta(seconds=1))).code is Code.PAPER_GENUINE


def test_a_verify_only_key_keeps_the_codes_that_it_made_before(genuine: PaperFacts) -> None:
    said = genuine.claims
    assert said is not None
    for facts in (genuine, offline(genuine)):
        after = verdict(entry(facts, state=SealState.VERIFY_ONLY, state_since=said.issued_at + timedelta(seconds=1)))
        assert (after.code, "SEAL_VERIFY_ONLY" in after.notices) == (Code.PAPER_GENUINE, True)
        before = verdict(entry(facts, state=SealState.VERIFY_ONLY, state_since=said.issued_at))
        assert (before.code, before.reason) == (Code.UNKNOWN_SEAL, "SEALED_AFTER_VERIFY_ONLY")


def test_a_revoked_key_makes_all_its_codes_a_doubt_offline_however_they_are_dated(genuine: PaperFacts) -> None:
    """Also where the bundle knows the number and the digest: whoever has the key writes other VINs beside them."""
    far = offline(genuine)
    back_dated = claims(far, issued_at=far.register_.record.issued_at, vins=(STRANGE,))  # type: ignore[union-attr]
    for facts in (far, back_dated, offline(genuine, is_told=False)):
        found = verdict(entry(facts, state=SealState.REVOKED, revoked_at=facts.at))
        assert (found.code, found.confirmation) == (Code.INDETERMINATE, None)
        assert check(found, "code-entitled") == (State.UNDETERMINED, "CODE_KEY_REVOKED")
        assert found.paper is not None
        assert found.paper.vins == ()


def test_the_register_decides_about_codes_of_a_revoked_key(genuine: PaperFacts) -> None:
    recorded_at = genuine.register_.record.recorded_at  # type: ignore[union-attr]
    assert recorded_at is not None
    second = timedelta(seconds=1)
    older = verdict(entry(genuine, state=SealState.REVOKED, revoked_at=recorded_at + second))
    assert (older.code, older.notices) == (Code.PAPER_GENUINE, ("SEAL_REVOKED_LATER",))
    stolen = entry(
        genuine, state=SealState.REVOKED, revoked_at=recorded_at + second, compromised_from=recorded_at - second
    )
    assert (verdict(stolen).code, verdict(stolen).reason) == (Code.SEAL_REVOKED, "SEAL_REVOKED")
    forged = entry(claims(genuine, vins=(STRANGE,)), state=SealState.REVOKED, revoked_at=recorded_at + second)
    assert (verdict(forged).code, verdict(forged).reason) == (Code.NOT_REGISTERED, "CODE_DIFFERS")
    unknown = entry(registered(genuine, record=None), state=SealState.REVOKED, revoked_at=recorded_at + second)
    assert (verdict(unknown).code, verdict(unknown).reason) == (Code.NOT_REGISTERED, "NUMBER_UNKNOWN")


def test_a_suspended_key_is_a_doubt(genuine: PaperFacts) -> None:
    found = verdict(entry(genuine, state=SealState.SUSPENDED))
    assert (found.code, found.reason) == (Code.INDETERMINATE, "SEAL_SUSPENDED")


@pytest.mark.parametrize("name", [*paper_checks.PAPER_FIELDS, "status"])
def test_every_field_of_the_code_is_compared_with_the_register(genuine: PaperFacts, name: str) -> None:
    said = genuine.claims
    assert said is not None
    changes = {
        "issuer": "91350200MA00000000",
        "number": "00000-00000-0000",
        "issued_at": said.issued_at + timedelta(seconds=1),
        "vins": (*said.vins[1:], said.vins[0]),
        "destination": "DE",
        "content_digest": b"\x00" * 32,
        "exporter": said.issuer,
        "page": (2, 2),
        "until": None if said.until else beijing_day(genuine.at),
        "status": (1, 78),
    }
    found = verdict(claims(genuine, **{name: changes[name]}))
    (told,) = (one for one in found.checks if one.id == "record")
    assert (told.state, told.reason) == (State.FAILED, "CODE_DIFFERS")
    assert name in told.detail
    assert found.code.colour is Colour.RED
    assert found.confirmation is None


def test_a_digest_or_time_that_a_bundle_knows_otherwise_is_not_registered(genuine: PaperFacts) -> None:
    for changes in ({"content_digest": b"\x00" * 32}, {"issued_at": genuine.at + HOUR / 60}):
        found = verdict(claims(offline(genuine), **changes))
        assert (found.code, found.reason) == (Code.NOT_REGISTERED, "CODE_DIFFERS")


def test_standing_overrides_blue(genuine: PaperFacts) -> None:
    names = {"w": Standing.WITHDRAWN, "s": Standing.SUPERSEDED, "i": Standing.ISSUED, "h": Standing.SUSPENDED}
    expected = {
        "www": Code.WITHDRAWN,
        "sss": Code.SUPERSEDED,
        "sii": Code.PARTLY_SUPERSEDED,
        "hhh": Code.INDETERMINATE,
        "iii": Code.PAPER_GENUINE,
    }
    for word, wanted in expected.items():
        assert verdict(lines(genuine, *(names[letter] for letter in word))).code is wanted


def test_what_was_never_issued_and_what_is_being_issued_are_told_apart(genuine: PaperFacts) -> None:
    abandoned = verdict(record(genuine, standing=Standing.ABANDONED))
    assert (abandoned.code, abandoned.reason, abandoned.confirmation) == (Code.NOT_ISSUED, "ABANDONED", None)
    pending = verdict(record(genuine, standing=Standing.PENDING))
    assert (pending.code, pending.reason, pending.confirmation) == (Code.INDETERMINATE, "TRY_LATER", None)


def test_absence_counts_only_where_it_is_authoritative(genuine: PaperFacts) -> None:
    absent = registered(genuine, record=None)
    assert (verdict(absent).code, verdict(absent).reason) == (Code.NOT_REGISTERED, "NUMBER_UNKNOWN")
    gap = registered(absent, is_complete=False)
    assert (verdict(gap).code, verdict(gap).reason) == (Code.INDETERMINATE, "REGISTER_INCOMPLETE")
    bundle = verdict(offline(genuine, is_told=False))
    assert (bundle.code, bundle.reason) == (Code.INDETERMINATE, "NOT_IN_BUNDLE_YET")


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        ({"status": "in-force"}, Code.PAPER_GENUINE, None),
        ({"status": "ended"}, Code.WITHDRAWN, "ENDED_BY_LIST"),
        ({"status": "not-now"}, Code.INDETERMINATE, "NOT_IN_FORCE_NOW"),
        ({"status": "replaced"}, Code.INDETERMINATE, "REPLACED_BY_LIST"),
        ({"status": "in-force", "doubt": "STANDING_TOO_OLD"}, Code.INDETERMINATE, "STANDING_TOO_OLD"),
        ({"status": "ended", "doubt": "STANDING_TOO_OLD"}, Code.WITHDRAWN, "ENDED_BY_LIST"),
        ({"doubt": "STATUS_LIST_OLDER"}, Code.INDETERMINATE, "STATUS_LIST_OLDER"),
    ],
)
def test_a_status_list_tells_the_standing_of_what_no_bundle_holds(
    genuine: PaperFacts, status: dict[str, Any], code: Code, reason: str | None
) -> None:
    told = StatusFacts(as_of=genuine.at - HOUR, **status)
    found = verdict(offline(genuine, is_told=False, status=told))
    assert (found.code, found.reason) == (code, reason)


def test_a_code_that_is_dated_ahead_of_the_clock_is_a_doubt(genuine: PaperFacts) -> None:
    ahead = entry(claims(genuine, issued_at=genuine.at + HOUR), until_at=None)
    assert check(verdict(ahead), "times") == (State.UNDETERMINED, "TIME_IN_FUTURE")


def test_past_its_own_last_day_is_amber_offline_too(genuine: PaperFacts) -> None:
    end = genuine.today - timedelta(days=1)
    far = claims(offline(genuine, is_told=False, status=StatusFacts(status="in-force")), until=end)
    assert verdict(far).code is Code.PAST_END
    assert verdict(far, Asked(applied_on=end)).code is Code.PAPER_GENUINE


def of_two_pages(facts: PaperFacts, *shown: int) -> PaperFacts:
    """The codes of those pages of the same confirmation, as if it had two: the first VIN, then the others."""
    first = facts.codes[0]
    assert first.claims is not None
    vins = {1: first.claims.vins[:1], 2: first.claims.vins[1:]}
    codes = tuple(
        first.model_copy(
            update={
                "digest": f"{page:064x}",
                "claims": first.claims.model_copy(update={"vins": vins[page], "page": (page, 2)}),
            }
        )
        for page in shown
    )
    return offline(facts, is_told=False, status=StatusFacts(status="in-force")).model_copy(update={"codes": codes})


def test_one_page_of_two_says_so_and_covers_only_its_own_vins(genuine: PaperFacts) -> None:
    said = genuine.claims
    assert said is not None
    one, both = of_two_pages(genuine, 1), of_two_pages(genuine, 2, 1)
    found = verdict(one)
    assert (found.code, "PAGE_MISSING" in found.notices) == (Code.PAPER_GENUINE, True)
    assert found.paper is not None
    assert (found.paper.seen, found.paper.pages, found.paper.vins) == ((1,), 2, said.vins[:1])
    assert verdict(one, Asked(vins=said.vins[:1])).code is Code.PAPER_GENUINE
    unseen = verdict(one, Asked(vins=tuple(said.vins)))
    assert (unseen.code, unseen.reason) == (Code.INDETERMINATE, "PAGE_MISSING")
    whole = verdict(both, Asked(vins=tuple(said.vins)))
    assert (whole.code, whole.paper.vins, whole.paper.seen) == (Code.PAPER_GENUINE, said.vins, (1, 2))  # type: ignore[union-attr]
    strange = verdict(both, Asked(vins=(STRANGE,)))
    assert (strange.code, strange.reason) == (Code.NOT_COVERED, "VIN_NOT_LISTED")


def test_pages_that_contradict_each_other_are_a_doubt(genuine: PaperFacts) -> None:
    both = of_two_pages(genuine, 1, 2)
    assert "code-agreement" in {one.id for one in verdict(both).checks}
    second = both.codes[1]
    assert second.claims is not None
    for changes in ({"destination": "DE"}, {"page": (2, 3)}, {"vins": both.codes[0].claims.vins}):  # type: ignore[union-attr]
        odd = second.model_copy(update={"claims": second.claims.model_copy(update=changes)})
        found = verdict(both.model_copy(update={"codes": (both.codes[0], odd)}))
        assert check(found, "code-agreement") == (State.UNDETERMINED, "CODES_DIFFER")
        assert found.code is Code.INDETERMINATE


def test_in_production_a_test_code_is_grey_whatever_else_is_true(genuine: PaperFacts) -> None:
    listed = genuine.model_copy(update={"trust": genuine.trust.model_copy(update={"test": False})})
    for facts in (listed, code(offline(listed), test_policy=True)):
        found = verdict(facts, mode="production")
        assert (found.code, found.would_be, found.outcome) == (Code.TEST_ONLY, Code.PAPER_GENUINE, Outcome.NONE)
    invalid = verdict(code(listed, test_policy=True, is_signed=False), mode="production")
    assert (invalid.code, invalid.would_be) == (Code.TEST_ONLY, Code.CODE_INVALID)


def test_of_several_numbers_in_one_file_the_gravest_stands_first(genuine: PaperFacts) -> None:
    good, bad = verdict(genuine), verdict(code(genuine, is_signed=False))
    doubted = verdict(entry(genuine, state=SealState.SUSPENDED))
    found = together((good, doubted, bad))
    assert [found.code, *(one.code for one in found.others)] == [
        Code.CODE_INVALID,
        Code.INDETERMINATE,
        Code.PAPER_GENUINE,
    ]
    assert together((good,)).others == ()


def _worse(facts: PaperFacts, fault: str) -> PaperFacts:
    changes: dict[str, Any] = {
        "unsigned": lambda: code(facts, is_signed=False),
        "unlisted": lambda: code(facts, entry=None),
        "other-maker": lambda: facts.codes[0].entry and entry(facts, uscc="91350200MA00000000"),
        "revoked": lambda: facts.codes[0].entry and entry(facts, state=SealState.REVOKED, revoked_at=facts.at),
        "suspended": lambda: facts.codes[0].entry and entry(facts, state=SealState.SUSPENDED),
        "expired": lambda: facts.model_copy(
            update={"trust": TrustFacts(**{**facts.trust.model_dump(), "expires": facts.at})}
        ),
        "withdrawn": lambda: facts.register_.record and lines(facts, *[Standing.WITHDRAWN] * 3),
        "superseded": lambda: facts.register_.record and lines(facts, *[Standing.SUPERSEDED] * 3),
        "other-digest": lambda: claims(facts, content_digest=b"\x01" * 32),
        "unknown": lambda: registered(facts, record=None),
        "ahead": lambda: claims(facts, issued_at=facts.at + HOUR),
    }
    return changes[fault]() or facts


FAULTS = (
    *("unsigned", "unlisted", "other-maker", "revoked", "suspended", "expired"),
    *("withdrawn", "superseded", "other-digest", "unknown", "ahead"),
)


@CALM
@given(faults=st.lists(st.sampled_from(FAULTS), max_size=4), asks=st.booleans())
def test_whatever_goes_wrong_paper_is_never_green_and_never_better_than_blue(
    genuine: PaperFacts, faults: list[str], asks: bool
) -> None:
    facts = genuine
    for fault in faults:
        facts = _worse(facts, fault)
    found = verdict(facts, Asked(vins=tuple(genuine.claims.vins)) if asks else None)  # type: ignore[union-attr]
    assert found.outcome in (Outcome.REVIEW, Outcome.FAIL)
    assert (found.code is Code.PAPER_GENUINE) is (not faults)


WORSE = ("unsigned", "other-maker", "revoked", "suspended", "withdrawn", "other-digest", "ahead")


@CALM
@given(faults=st.lists(st.sampled_from(WORSE), max_size=3), more=st.sampled_from(WORSE), is_offline=st.booleans())
def test_one_more_fault_never_lowers_severity(
    genuine: PaperFacts, faults: list[str], more: str, is_offline: bool
) -> None:
    facts = genuine
    for fault in faults:
        facts = _worse(facts, fault)
    worse = _worse(facts, more)
    if is_offline:
        facts, worse = offline(facts), offline(worse)
    if {"revoked", "suspended"} <= {*faults, more}:
        return  # one state takes the other's place, and says something else
    assert severity(verdict(worse).code) >= severity(verdict(facts).code)


@CALM
@given(faults=st.lists(st.sampled_from(WORSE), max_size=3))
def test_a_list_that_is_over_never_makes_an_answer_better_than_a_doubt(genuine: PaperFacts, faults: list[str]) -> None:
    facts = _worse(genuine, "expired")
    for fault in faults:
        facts = _worse(facts, fault)
    assert severity(verdict(facts).code) >= severity(Code.INDETERMINATE)
