"""Each condition of the checks, both ways: what a mutant of one operand would change is a sentence here."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from world import KAZAKHSTAN, World, sample

from signer.domain.confirmation import Standing
from signer.domain.evidence import Asked, Facts, Gap, Part, RecordFacts, SealFinding, State, Told
from signer.domain.log_facts import NO_LOG
from signer.domain.number import Number
from signer.domain.trust import SealState
from signer.domain.verdict import Check, Code
from signer.verification import checks, decide
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

TEST, PRODUCTION = Policy(mode="test"), Policy(mode="production")
SECOND = timedelta(seconds=1)
OTHER = "f" * 64
ISSUED, SUSPENDED, SUPERSEDED, WITHDRAWN = (
    Standing.ISSUED,
    Standing.SUSPENDED,
    Standing.SUPERSEDED,
    Standing.WITHDRAWN,
)


@pytest.fixture(scope="module")
def valid(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    made = World(worlds.copy(template_folder, tmp_path_factory.mktemp("operand") / "data"))
    facts = made.services.verifying.gather(made.issue(sample(KAZAKHSTAN)).pdf)
    made.services.database.close()
    return facts.model_copy(update={"log": NO_LOG})  # the log proves a time too


def changed(facts: Facts, part: str, **changes: Any) -> Facts:
    """The facts with one part changed: seal, trust, register_, file, content."""
    return facts.model_copy(update={part: getattr(facts, part).model_copy(update=changes)})


def entry(facts: Facts, **changes: Any) -> Facts:
    assert facts.trust.entry is not None
    return changed(facts, "trust", entry=facts.trust.entry.model_copy(update=changes))


def record(facts: Facts, **changes: Any) -> RecordFacts:
    assert facts.register_.record is not None
    return facts.register_.record.model_copy(update=changes)


def on_record(facts: Facts, **changes: Any) -> Facts:
    return changed(facts, "register_", record=record(facts, **changes))


def lines(facts: Facts, *standings: Standing, **more: Any) -> RecordFacts:
    """The record with its three lines standing so."""
    kept = record(facts).lines
    changes = [{"standing": one, "ended_at": facts.at, **more} for one in standings]
    return record(
        facts, lines=tuple(line.model_copy(update=change) for line, change in zip(kept, changes, strict=True))
    )


def unproven(facts: Facts) -> Facts:
    """The facts of a file of which nothing proves the time."""
    return changed(on_record(facts, recorded_at=None), "seal", timestamp=None)


def proven(facts: Facts, at: datetime) -> Facts:
    """The facts of a file that the register recorded at an instant, without a timestamp."""
    return changed(on_record(facts, recorded_at=at), "seal", timestamp=None)


def told(check: Check | None) -> tuple[State, Code | None, str | None]:
    assert check is not None
    return check.state, check.argues_for, check.reason


FAILED, OPEN, PASSED = State.FAILED, State.UNDETERMINED, State.PASSED


def test_a_paper_names_the_manufacturer_and_the_seal_that_it_bears(valid: Facts) -> None:
    other = "91350100M000100Y43"
    assert told(checks.content_issuer(valid)) == (PASSED, None, None)
    for change in ({"uscc": other}, {"legal_name": "别的样例汽车有限公司"}):
        assert told(checks.content_issuer(entry(valid, **change))) == (FAILED, Code.UNKNOWN_SEAL, "OTHER_MANUFACTURER")
    unlike = changed(valid, "seal", certificate_digest=OTHER)
    assert told(checks.content_issuer(unlike)) == (FAILED, Code.UNKNOWN_SEAL, "OTHER_SEAL")
    assert checks.content_issuer(changed(valid, "trust", entry=None)) is None


def test_an_entitlement_that_ended_is_a_doubt_only_where_no_time_is_proven(valid: Facts) -> None:
    bare, begun = unproven(valid), valid.at - timedelta(days=9)
    for until_at, state in ((valid.at, OPEN), (valid.at + SECOND, PASSED), (None, PASSED)):
        assert told(checks.entitled(entry(bare, until_at=until_at)))[0] is state
    assert told(checks.entitled(entry(bare, until_at=valid.at)))[2] == "NOT_PROVEN_IN_TIME"
    late = entry(proven(valid, valid.at), from_at=begun, until_at=valid.at)
    assert told(checks.entitled(late)) == (FAILED, Code.UNKNOWN_SEAL, "NOT_ENTITLED_THEN")


def test_a_verify_only_seal_keeps_what_it_sealed_before_it_was_retired(valid: Facts) -> None:
    seen = proven(valid, valid.at)
    for since, state in ((valid.at + SECOND, PASSED), (None, PASSED), (valid.at, FAILED), (valid.at - SECOND, FAILED)):
        found = checks.entitled(entry(seen, state=SealState.VERIFY_ONLY, state_since=since))
        assert told(found)[0] is state
        assert told(found)[2] == ("SEALED_AFTER_VERIFY_ONLY" if state is FAILED else "SEAL_VERIFY_ONLY")


def test_a_revoked_seal_keeps_only_what_is_proven_older_and_was_entitled(valid: Facts) -> None:
    seen, gone = proven(valid, valid.at), {"state": SealState.REVOKED, "compromised_from": None}
    later = entry(seen, **gone, revoked_at=valid.at + SECOND)
    assert told(checks.entitled(later))[2] == "SEAL_REVOKED_LATER"
    for worse in (
        entry(seen, **gone, revoked_at=valid.at),
        entry(seen, **gone, revoked_at=None),
        entry(unproven(valid), **gone, revoked_at=valid.at + SECOND),
        entry(seen, **gone, revoked_at=valid.at + SECOND, from_at=valid.at + SECOND),
        entry(seen, **{**gone, "compromised_from": valid.at}, revoked_at=valid.at + SECOND),
    ):
        assert told(checks.entitled(worse)) == (FAILED, Code.SEAL_REVOKED, "SEAL_REVOKED")


def test_what_authorities_said_since_counts_from_the_instant_of_the_revocation(valid: Facts) -> None:
    seen = proven(valid, valid.at)
    assert checks.revocation_since(changed(seen, "trust", revocation_as_of=None)) is None
    assert checks.revocation_since(changed(seen, "trust", entry=None, revocation_as_of=valid.at)) is None
    good = changed(seen, "trust", revocation_as_of=valid.at, revoked_at=None)
    assert told(checks.revocation_since(good)) == (PASSED, None, None)
    for at, reason in ((valid.at + SECOND, "SEAL_REVOKED_LATER"), (valid.at, "SEAL_REVOKED")):
        found = checks.revocation_since(changed(seen, "trust", revocation_as_of=valid.at, revoked_at=at))
        assert told(found)[2] == reason
    unsure = changed(unproven(valid), "trust", revocation_as_of=valid.at, revoked_at=valid.at + SECOND)
    assert told(checks.revocation_since(unsure)) == (FAILED, Code.SEAL_REVOKED, "SEAL_REVOKED")


def test_a_time_ahead_of_the_clock_is_a_doubt_and_one_within_the_skew_is_none(valid: Facts) -> None:
    limit = valid.at + TEST.clock_skew
    assert told(checks.times(changed(valid, "seal", claimed_at=limit), TEST))[0] is PASSED
    ahead = changed(valid, "seal", claimed_at=limit + SECOND)
    assert told(checks.times(ahead, TEST)) == (OPEN, Code.INDETERMINATE, "TIME_IN_FUTURE")
    stamp = valid.seal.timestamp
    assert stamp is not None
    stamped = changed(valid, "seal", timestamp=stamp.model_copy(update={"at": limit + SECOND}))
    assert told(checks.times(stamped, TEST))[2] == "TIME_IN_FUTURE"
    assert told(checks.times(changed(valid, "seal", claimed_at=None, timestamp=None), TEST))[0] is PASSED


def test_the_record_is_this_number_with_these_bytes_and_nothing_else(valid: Facts) -> None:
    here, there = record(valid).number, Number.draw(lambda _: 7)
    cases: tuple[tuple[dict[str, Any], State, Code | None, str | None], ...] = (
        ({"number_of_digest": here}, PASSED, None, None),
        ({"number_of_digest": None}, PASSED, None, None),
        ({"number_of_digest": there}, FAILED, Code.NOT_REGISTERED, "NUMBER_DIFFERS"),
        ({"record": None, "number_of_digest": here}, FAILED, Code.NOT_REGISTERED, "NUMBER_DIFFERS"),
        ({"record": None, "number_of_digest": None}, FAILED, Code.NOT_REGISTERED, "NUMBER_UNKNOWN"),
        (
            {"record": None, "number_of_digest": None, "is_complete": False},
            OPEN,
            Code.INDETERMINATE,
            "REGISTER_INCOMPLETE",
        ),
    )
    for change, *expected in cases:
        assert told(checks.record_known(changed(valid, "register_", **change), TEST)) == tuple(expected)
    for standing, expected in (
        (Standing.PENDING, (OPEN, Code.INDETERMINATE, "TRY_LATER")),
        (Standing.ABANDONED, (FAILED, Code.NOT_ISSUED, "ABANDONED")),
    ):
        assert told(checks.record_known(on_record(valid, standing=standing), TEST)) == expected
        assert told(checks.standing(record(valid, standing=standing), Asked())) == expected


def test_lines_that_ended_elsewhere_are_told_only_to_who_asked_for_others(valid: Facts) -> None:
    first, second, _ = (line.vin for line in record(valid).lines)
    mixed = lines(valid, ISSUED, WITHDRAWN, ISSUED)
    assert told(checks.standing(mixed, Asked(vins=(first,))))[2] == "OTHER_LINES_ENDED"
    assert told(checks.standing(mixed, Asked(vins=(second,))))[1] is Code.WITHDRAWN
    assert told(checks.standing(mixed, Asked()))[2] == "PARTLY_WITHDRAWN"
    whole = lines(valid, ISSUED, ISSUED, ISSUED)
    for asked in (Asked(), Asked(vins=(first,)), Asked(vins=record(valid).vins)):
        assert told(checks.standing(whole, asked)) == (PASSED, None, None)
    for reason, word in ((None, "OTHER"), ("fraud", "FRAUD")):
        ended = lines(valid, WITHDRAWN, SUPERSEDED, WITHDRAWN, reason_class=reason)
        assert told(checks.standing(ended, Asked())) == (FAILED, Code.WITHDRAWN, word)
    assert told(checks.standing(lines(valid, SUPERSEDED, SUPERSEDED, ISSUED), Asked()))[0] is FAILED
    assert told(checks.standing(lines(valid, SUSPENDED, ISSUED, ISSUED), Asked()))[2] == "SUSPENDED"


def test_a_restored_register_says_as_of_when_and_for_how_long_that_is_a_notice(valid: Facts) -> None:
    back = valid.at
    assert checks.standing_current(record(valid), TEST, at=valid.at) is None
    for gone, state, code in (
        (TEST.longest_gap, PASSED, Code.VALID_WITH_NOTICE),
        (TEST.longest_gap + SECOND, OPEN, Code.INDETERMINATE),
    ):
        since = back - gone
        held = record(valid, gaps=(Gap(since=since, until=back),), issued_at=since - timedelta(days=1))
        assert held.unknown_for == gone
        assert told(checks.standing_current(held, TEST, at=valid.at)) == (state, code, "STANDING_INCOMPLETE")
        fresh = held.model_copy(update={"told": Told(at=valid.at, expires=valid.at + timedelta(days=1))})
        assert told(checks.standing_current(fresh, TEST, at=valid.at)) == (state, code, "STANDING_INCOMPLETE")
        stale = held.model_copy(update={"told": Told(at=valid.at, expires=valid.at)})
        assert told(checks.standing_current(stale, TEST, at=valid.at))[2] == "BUNDLE_EXPIRED"
    alone = record(valid, told=Told(at=valid.at, expires=valid.at + timedelta(days=1)))
    assert told(checks.standing_current(alone, TEST, at=valid.at)) == (PASSED, None, None)


def test_a_conflict_counts_for_the_lines_that_were_asked_and_are_in_force(valid: Facts) -> None:
    first, second, _ = kept = record(valid).lines
    contested = record(valid, lines=(first.model_copy(update={"is_conflict": True}), *kept[1:]))
    for vins, state in (((), OPEN), ((first.vin,), OPEN), ((second.vin,), PASSED)):
        assert told(checks.conflict(contested, Asked(vins=vins)))[0] is state
    over = first.model_copy(update={"is_conflict": True, "standing": SUPERSEDED})
    assert told(checks.conflict(record(valid, lines=(over, *kept[1:])), Asked()))[0] is PASSED


def test_the_last_day_itself_is_within_and_no_last_day_is_never_past(valid: Facts) -> None:
    day = date(2026, 12, 31)
    for end, applied_on, state in (
        (day, day, PASSED),
        (day, day + timedelta(days=1), FAILED),
        (None, date(2199, 1, 1), PASSED),
    ):
        found = checks.until(record(valid, until=end), Asked(applied_on=applied_on), today=day)
        assert (found.state, found.argues_for) == (state, Code.PAST_END if state is FAILED else None)
    assert checks.until(record(valid, until=day), Asked(), today=day + timedelta(days=1)).state is FAILED


def test_another_country_and_another_exporter_are_not_covered_and_the_right_ones_are(valid: Facts) -> None:
    terms = record(valid).whole.terms
    right = Asked(destination=terms.destination.country.alpha2, exporter=terms.exporter.uscc, vins=terms.vins[:1])
    assert {check.state for check in checks.covered(record(valid), right)} == {PASSED}
    wrong = Asked(destination="UZ", exporter="91350100M000100Y43", vins=("L0YSA3B29T0009999",))
    assert {check.argues_for for check in checks.covered(record(valid), wrong)} == {Code.NOT_COVERED}


@pytest.mark.parametrize(("source", "vouches"), [("register", True), ("bundle", True), ("none", False)])
def test_without_revocation_data_only_a_good_entry_asked_live_vouches(valid: Facts, source: str, vouches: bool) -> None:
    missing = SealFinding(id="revocation", part=Part.SEAL, state=OPEN)
    facts = changed(valid, "register_", source=source)
    for seen, good in (
        (facts, vouches),
        (changed(facts, "trust", entry=None), False),
        (entry(facts, state=SealState.SUSPENDED), False),
    ):
        found = checks.finding(missing, seen, authoritative=True)
        assert found.argues_for is (Code.VALID_WITH_NOTICE if good else Code.INDETERMINATE)
        assert found.reason == "NO_REVOCATION_DATA"


def test_a_failure_says_the_files_reason_or_the_checks_own_name(valid: Facts) -> None:
    broken = SealFinding(id="byte-range", part=Part.INTEGRITY, state=FAILED)
    for reason, word in ((None, "BYTE_RANGE"), ("ADDED_SIGNATURE", "ADDED_SIGNATURE")):
        found = checks.finding(broken, changed(valid, "seal", reason=reason), authoritative=True)
        assert (found.argues_for, found.reason) == (Code.ALTERED, word)
    plain = SealFinding(id="archive", part=Part.SEAL, state=OPEN)
    assert checks.finding(plain, valid, authoritative=True).reason == "ARCHIVE"


def test_an_expired_chain_is_lifted_at_both_of_its_bounds_and_not_beyond(valid: Facts) -> None:
    late = SealFinding(id="chain", part=Part.SEAL, state=OPEN, sub_indication="OUT_OF_BOUNDS_NO_POE")
    day, seen = timedelta(days=1), proven(valid, valid.at)
    for begun, ended, state in (
        (valid.at, valid.at, PASSED),
        (valid.at + SECOND, valid.at + day, OPEN),
        (valid.at - day, valid.at - SECOND, OPEN),
    ):
        facts = changed(seen, "seal", chain_not_before=begun, chain_not_after=ended)
        assert checks.finding(late, facts, authoritative=True).state is state


def test_a_list_older_than_a_stamped_file_is_silent_only_of_what_it_does_not_name(valid: Facts) -> None:
    stamp = valid.seal.timestamp
    assert stamp is not None
    old = changed(valid, "trust", issued=stamp.at - SECOND, expires=valid.at + SECOND)
    assert checks.is_authoritative(old.trust, old)
    unnamed = changed(old, "trust", entry=None)
    assert not checks.is_authoritative(unnamed.trust, unnamed)
    unstamped = changed(unnamed, "seal", timestamp=None)
    assert checks.is_authoritative(unstamped.trust, unstamped)
    expired = changed(valid, "trust", expires=valid.at)
    assert not checks.is_authoritative(expired.trust, expired)


def test_a_test_seal_is_one_by_the_list_or_by_its_certificate(valid: Facts) -> None:
    plain = changed(changed(valid, "trust", test=False), "seal", test_policy=False)
    for facts, is_test in (
        (plain, False),
        (changed(plain, "trust", test=True), True),
        (changed(plain, "seal", test_policy=True), True),
    ):
        verdict = decide.decide(facts, Asked(), PRODUCTION)
        assert (verdict.test, verdict.code) == (is_test, Code.TEST_ONLY if is_test else Code.VALID)


def test_notices_and_reasons_are_those_of_the_checks_that_argue_for_them(valid: Facts) -> None:
    noticed = decide.decide(entry(valid, state=SealState.VERIFY_ONLY, state_since=None), Asked(), TEST)
    assert (noticed.code, noticed.notices) == (Code.VALID_WITH_NOTICE, ("SEAL_VERIFY_ONLY",))
    assert decide.decide(valid, Asked(), TEST).notices == ()
    assert decide.decide(valid, Asked(), TEST).reason is None
    withdrawn = changed(valid, "register_", record=lines(valid, WITHDRAWN, WITHDRAWN, WITHDRAWN, reason_class="fraud"))
    assert decide.decide(withdrawn, Asked(), TEST).reason == "FRAUD"


def test_nothing_of_a_record_is_shown_with_a_file_that_is_not_its_own_or_not_proven(valid: Facts) -> None:
    for facts, shows in (
        (valid, True),
        (changed(valid, "file", sealed_digest=OTHER), False),
        (changed(valid, "content", fault="not-canonical"), False),
        (changed(valid, "register_", record=None), False),
    ):
        verdict = decide.decide(facts, Asked(), TEST)
        assert (verdict.confirmation is not None, bool(verdict.lines)) == (shows, shows)
    unknown = decide.decide(on_record(valid, confirmation=None), Asked(), TEST)
    assert (unknown.confirmation, unknown.lines) == (None, ())


def test_an_altered_file_says_nothing_of_whose_seal_it_was(valid: Facts) -> None:
    findings = tuple(
        found.model_copy(update={"state": FAILED}) if found.id == "digest" else found for found in valid.seal.findings
    )
    verdict = decide.decide(changed(valid, "seal", findings=findings), Asked(), TEST)
    assert (verdict.parts.integrity, verdict.parts.seal, verdict.issuer) == (FAILED, OPEN, None)


def test_a_successor_is_told_only_to_who_names_the_exporter(valid: Facts) -> None:
    newer = Number.draw(lambda _: 9)
    gone = changed(valid, "register_", record=lines(valid, SUPERSEDED, SUPERSEDED, SUPERSEDED, successor=newer))
    exporter = record(valid).whole.terms.exporter.uscc
    for asked, number in ((exporter, newer), (None, None), ("91350100M000100Y43", None)):
        assert decide.decide(gone, Asked(exporter=asked), TEST).successor == number
    nameless = gone.model_copy(
        update={"register_": gone.register_.model_copy(update={"record": record(gone, confirmation=None)})}
    )
    assert not decide.names_exporter(record(nameless), Asked(exporter=exporter))


def test_an_issuer_needs_a_name_a_code_and_a_class(valid: Facts) -> None:
    whole = valid.trust.entry
    assert whole is not None
    assert decide.issuer_of(whole) is not None
    assert decide.issuer_of(None) is None
    for change in ({"uscc": None}, {"seal_class": None}):
        assert decide.issuer_of(whole.model_copy(update=change)) is None


def test_a_vin_is_told_with_its_own_line_and_window(valid: Facts) -> None:
    vins, kept = record(valid).vins, lines(valid, ISSUED, WITHDRAWN, SUPERSEDED)
    states = [decide.vin_coverage(vin, kept, date(2026, 11, 25)).state for vin in vins]
    assert states == ["matched", "withdrawn", "superseded"]
    windows = [decide.vin_coverage(vin, kept, date(2026, 11, 25)).window for vin in vins]
    starts = [vehicle.window.through for vehicle in record(valid).whole.terms.vehicles]
    assert [window and window.through for window in windows] == starts
    assert decide.vin_coverage("L0YSA3B29T0009999", kept, date(2026, 11, 25)).state == "missing"
    lineless = record(valid, lines=record(valid).lines[1:])
    assert decide.vin_coverage(vins[0], lineless, date(2026, 11, 25)).state == "missing"
    unlisted = record(valid, confirmation=None)
    assert decide.vin_coverage(vins[0], unlisted, date(2026, 11, 25)).state == "missing"


def test_one_withdrawn_line_among_those_asked_for_is_withdrawn(valid: Facts) -> None:
    first, second, _ = (line.vin for line in record(valid).lines)
    mixed = lines(valid, ISSUED, WITHDRAWN, ISSUED)
    assert told(checks.standing(mixed, Asked(vins=(first, second))))[1] is Code.WITHDRAWN


def test_content_of_an_unknown_form_is_not_shown(valid: Facts) -> None:
    verdict = decide.decide(changed(valid, "content", fault="schema-unknown"), Asked(), TEST)
    assert (verdict.parts.integrity, verdict.parts.seal) == (OPEN, PASSED)
    assert (verdict.confirmation, verdict.lines) == (None, ())


def test_a_seal_that_failed_stays_failed_in_an_altered_file_and_an_open_one_is_open(valid: Facts) -> None:
    def with_states(**states: State) -> Facts:
        found = valid.seal.findings
        found = tuple(
            one.model_copy(update={"state": states.get(one.id.replace("-", "_"), one.state)}) for one in found
        )
        return changed(valid, "seal", findings=found)

    both = decide.decide(with_states(digest=FAILED, signer_listed=FAILED), Asked(), TEST)
    assert (both.parts.integrity, both.parts.seal) == (FAILED, FAILED)
    held = decide.decide(entry(valid, state=SealState.SUSPENDED), Asked(), TEST)
    assert (held.parts.seal, held.code) == (OPEN, Code.INDETERMINATE)
    stale = changed(with_states(file_form=OPEN, signer_listed=FAILED), "trust", expires=valid.at)
    assert decide.decide(stale, Asked(), TEST).reason == "TRUST_LIST_OLDER_THAN_SEAL"


def test_what_failed_is_no_notice(valid: Facts) -> None:
    gone = changed(valid, "register_", record=lines(valid, WITHDRAWN, WITHDRAWN, WITHDRAWN))
    assert decide.decide(gone, Asked(), TEST).notices == ()


def test_each_vin_has_the_window_of_its_own_registration(valid: Facts) -> None:
    whole = record(valid).whole
    days = [date(2026, 9, 1) + timedelta(days=place) for place in range(len(whole.terms.vehicles))]
    pairs = zip(whole.terms.vehicles, days, strict=True)
    cars = tuple(vehicle.model_copy(update={"registered_on": day}) for vehicle, day in pairs)
    apart = record(
        valid, confirmation=whole.model_copy(update={"terms": whole.terms.model_copy(update={"vehicles": cars})})
    )
    windows = [decide.vin_coverage(vin, apart, date(2026, 11, 25)).window for vin in whole.terms.vins]
    assert [window and window.through for window in windows] == [day + timedelta(days=180) for day in days]


def test_a_failed_finding_of_standing_would_be_a_doubt(valid: Facts) -> None:
    found = SealFinding(id="standing", part=Part.STANDING, state=FAILED)
    assert checks.finding(found, valid, authoritative=True).argues_for is Code.INDETERMINATE


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (Standing.PENDING, (OPEN, Code.INDETERMINATE, "TRY_LATER")),
        (Standing.ABANDONED, (FAILED, Code.NOT_ISSUED, "ABANDONED")),
    ],
)
def test_a_line_that_was_never_issued_is_not_in_force_under_any_record(
    valid: Facts, line: Standing, expected: tuple[State, Code, str]
) -> None:
    held = lines(valid, line, ISSUED, ISSUED)
    first, second, _ = (one.vin for one in held.lines)
    assert told(checks.standing(held, Asked())) == expected
    assert told(checks.standing(held, Asked(vins=(first,)))) == expected
    assert told(checks.standing(held, Asked(vins=(second,))))[0] is PASSED
    assert decide.decide(changed(valid, "register_", record=held), Asked(), TEST).code is expected[1]
