"""The decision, over facts of a real sealed file changed one by one: severity only ever rises."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import KAZAKHSTAN, World, sample

from signer.domain.confirmation import Standing
from signer.domain.evidence import Asked, Facts, Form, Part, State, Told
from signer.domain.trust import SealState
from signer.domain.verdict import Check, Code, Colour, Outcome, Verdict, combine
from signer.verification.checks import covered
from signer.verification.decide import decide
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

POLICY = Policy(mode="test")
CALM = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def severity(code: Code) -> int:
    """Green 0, blue 1, amber 2, INDETERMINATE 3, red 4; grey stands outside."""
    if code is Code.INDETERMINATE:
        return 3
    return {Colour.GREEN: 0, Colour.BLUE: 1, Colour.AMBER: 2, Colour.RED: 4}[code.colour]


@pytest.fixture(scope="module")
def valid(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """The facts of a file that is valid in every respect."""
    made = World(worlds.copy(template_folder, tmp_path_factory.mktemp("decide") / "data"))
    facts = made.services.verifying.gather(made.issue(sample(KAZAKHSTAN)).pdf)
    made.services.database.close()
    assert decide(facts, Asked(), POLICY).code is Code.VALID
    return facts


def verdict(facts: Facts, asked: Asked | None = None, *, mode: str = "test") -> Verdict:
    return decide(facts, asked or Asked(), Policy(mode=mode))  # type: ignore[arg-type]


def with_findings(facts: Facts, states: dict[str, State]) -> Facts:
    findings = tuple(
        found.model_copy(update={"state": states.get(found.id, found.state)}) for found in facts.seal.findings
    )
    return facts.model_copy(update={"seal": facts.seal.model_copy(update={"findings": findings})})


def with_lines(facts: Facts, standings: list[Standing]) -> Facts:
    record = facts.register_.record
    assert record is not None
    lines = tuple(
        line.model_copy(update={"standing": standing, "ended_at": facts.at, "reason_class": "error"})
        for line, standing in zip(record.lines, standings, strict=True)
    )
    record = record.model_copy(update={"lines": lines})
    return facts.model_copy(update={"register_": facts.register_.model_copy(update={"record": record})})


def with_entry(facts: Facts, **changes: object) -> Facts:
    assert facts.trust.entry is not None
    entry = facts.trust.entry.model_copy(update=changes)
    return facts.model_copy(update={"trust": facts.trust.model_copy(update={"entry": entry})})


IDS = (
    "file-form",
    "revisions",
    "seal-form",
    "byte-range",
    "cms-form",
    "algorithms",
    "digest",
    "signature",
    "embedded-certificates",
    "attachments",
    "signer-listed",
    "naming",
    "revocation-form",
    "chain",
    "revocation",
    "timestamp",
)
NOTICES = ("timestamp", "revocation")
states = st.dictionaries(st.sampled_from(IDS), st.sampled_from(State), max_size=5)


@CALM
@given(first=states, more=states)
def test_turning_checks_worse_never_lowers_severity(
    valid: Facts, first: dict[str, State], more: dict[str, State]
) -> None:
    order = [State.PASSED, State.UNDETERMINED, State.FAILED]
    worse = {key: max(first.get(key, State.PASSED), more.get(key, State.PASSED), key=order.index) for key in IDS}
    before, after = verdict(with_findings(valid, first)).code, verdict(with_findings(valid, worse)).code
    assert severity(after) >= severity(before)


@CALM
@given(which=st.sampled_from([name for name in IDS if name not in NOTICES]), state=st.sampled_from(State))
def test_what_could_not_be_checked_is_never_fine(valid: Facts, which: str, state: State) -> None:
    outcome = verdict(with_findings(valid, {which: state})).outcome
    assert (outcome is Outcome.PASS) is (state is State.PASSED)


checks = st.builds(
    Check,
    id=st.just("any"),
    part=st.sampled_from(Part),
    state=st.sampled_from(State),
    argues_for=st.none() | st.sampled_from([code for code in Code if code.colour is not Colour.GREY]),
)


@given(some=st.lists(checks, max_size=8), another=checks)
def test_one_more_check_never_helps(some: list[Check], another: Check) -> None:
    before, after = combine(some, default=Code.VALID), combine([*some, another], default=Code.VALID)
    assert after.rank <= before.rank


def test_the_order_of_precedence_never_puts_a_milder_code_above_a_graver_one() -> None:
    """Grey first; then red, INDETERMINATE, amber, blue, green: default codes argue for nothing."""
    ranks = [severity(code) for code in Code if code.colour is not Colour.GREY]
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("integrity", [State.PASSED, State.FAILED])
def test_standing_is_told_for_an_altered_file_too_and_nothing_of_its_content(valid: Facts, integrity: State) -> None:
    facts = with_lines(with_findings(valid, {"digest": integrity}), [Standing.WITHDRAWN] * 3)
    found = verdict(facts)
    assert found.code is (Code.WITHDRAWN if integrity is State.PASSED else Code.ALTERED)
    assert (found.confirmation is None) is (integrity is State.FAILED)
    assert found.parts.standing is State.FAILED
    assert found.parts.seal is (State.PASSED if integrity is State.PASSED else State.UNDETERMINED)


@pytest.mark.parametrize(
    ("standings", "asked", "code"),
    [
        ("iii", "", Code.VALID),
        ("iis", "", Code.PARTLY_SUPERSEDED),
        ("sss", "", Code.SUPERSEDED),
        ("iis", "01", Code.VALID_WITH_NOTICE),
        ("iis", "2", Code.SUPERSEDED),
        ("iis", "02", Code.PARTLY_SUPERSEDED),
        ("www", "", Code.WITHDRAWN),
        ("iiw", "", Code.INDETERMINATE),
        ("iiw", "2", Code.WITHDRAWN),
        ("iiw", "01", Code.VALID_WITH_NOTICE),
        ("hhh", "", Code.INDETERMINATE),
        ("his", "", Code.INDETERMINATE),
        ("ssw", "", Code.WITHDRAWN),
        ("ssw", "0", Code.SUPERSEDED),
    ],
)
def test_standing_per_line(valid: Facts, standings: str, asked: str, code: Code) -> None:
    names = {"i": Standing.ISSUED, "s": Standing.SUPERSEDED, "w": Standing.WITHDRAWN, "h": Standing.SUSPENDED}
    facts = with_lines(valid, [names[letter] for letter in standings])
    record = facts.register_.record
    assert record is not None
    vins = tuple(record.lines[int(place)].vin for place in asked)
    assert verdict(facts, Asked(vins=vins)).code is code


def test_a_vin_that_was_never_listed_does_not_narrow_the_lines(valid: Facts) -> None:
    facts = with_lines(valid, [Standing.ISSUED, Standing.ISSUED, Standing.WITHDRAWN])
    assert verdict(facts, Asked(vins=("1M8GDM9AXKP042788",))).code is Code.NOT_COVERED


def test_a_revoked_seal_is_never_valid_unless_the_file_is_proven_older(valid: Facts) -> None:
    assert valid.proven_at is not None
    later, earlier = valid.proven_at + timedelta(seconds=1), valid.proven_at - timedelta(seconds=1)
    assert verdict(with_entry(valid, state=SealState.REVOKED, revoked_at=earlier)).code is Code.SEAL_REVOKED
    assert verdict(with_entry(valid, state=SealState.REVOKED, revoked_at=valid.proven_at)).code is Code.SEAL_REVOKED
    proven = verdict(with_entry(valid, state=SealState.REVOKED, revoked_at=later))
    assert (proven.code, proven.notices) == (Code.VALID_WITH_NOTICE, ("SEAL_REVOKED_LATER",))
    compromised = with_entry(valid, state=SealState.REVOKED, revoked_at=later, compromised_from=earlier)
    assert verdict(compromised).code is Code.SEAL_REVOKED


def test_a_verify_only_seal_keeps_what_it_sealed_before(valid: Facts) -> None:
    assert valid.proven_at is not None
    after = with_entry(valid, state=SealState.VERIFY_ONLY, state_since=valid.proven_at + timedelta(seconds=1))
    assert verdict(after).notices == ("SEAL_VERIFY_ONLY",)
    before = with_entry(valid, state=SealState.VERIFY_ONLY, state_since=valid.proven_at - timedelta(seconds=1))
    assert verdict(before).code is Code.UNKNOWN_SEAL


def test_a_suspended_seal_is_indeterminate(valid: Facts) -> None:
    found = verdict(with_entry(valid, state=SealState.SUSPENDED))
    assert (found.code, found.reason) == (Code.INDETERMINATE, "SEAL_SUSPENDED")


def test_a_stale_list_turns_nothing_genuine_into_forged(valid: Facts) -> None:
    expired = valid.model_copy(update={"trust": valid.trust.model_copy(update={"expires": valid.at})})
    assert verdict(expired).code is Code.INDETERMINATE
    unlisted = with_findings(expired, {"signer-listed": State.FAILED})
    unlisted = unlisted.model_copy(update={"trust": unlisted.trust.model_copy(update={"entry": None})})
    assert verdict(unlisted).code is Code.INDETERMINATE
    fresh = unlisted.model_copy(update={"trust": unlisted.trust.model_copy(update={"expires": valid.trust.expires})})
    assert verdict(fresh).code is Code.UNKNOWN_SEAL


@pytest.mark.parametrize("which", ["embedded-certificates", "timestamp-token"])
def test_a_stale_list_that_lacks_an_authority_does_not_say_altered(valid: Facts, which: str) -> None:
    unlisted = with_findings(valid, {which: State.FAILED})
    assert verdict(unlisted).code is Code.ALTERED
    stale = unlisted.model_copy(update={"trust": unlisted.trust.model_copy(update={"expires": valid.at})})
    assert verdict(stale).code is Code.INDETERMINATE


def test_an_incomplete_register_never_says_not_registered(valid: Facts) -> None:
    empty = valid.register_.model_copy(update={"record": None, "number_of_digest": None})
    assert verdict(valid.model_copy(update={"register_": empty})).code is Code.NOT_REGISTERED
    gap = empty.model_copy(update={"is_complete": False})
    assert verdict(valid.model_copy(update={"register_": gap})).code is Code.INDETERMINATE


def test_well_sealed_bytes_that_are_not_those_on_record_are_not_registered(valid: Facts) -> None:
    other = valid.model_copy(update={"file": valid.file.model_copy(update={"sealed_digest": "00" * 32})})
    found = verdict(other)
    assert (found.code, found.reason, found.confirmation) == (Code.NOT_REGISTERED, "BYTES_DIFFER", None)


def test_the_paper_s_manufacturer_must_be_the_seal_s(valid: Facts) -> None:
    assert verdict(with_entry(valid, legal_name="别家样例汽车有限公司")).reason == "OTHER_MANUFACTURER"


def test_past_its_own_last_day_is_amber_by_the_application_s_date(valid: Facts) -> None:
    record = valid.register_.record
    assert record is not None
    assert record.confirmation.until is not None
    last = record.confirmation.until
    assert verdict(valid, Asked(applied_on=last)).code is Code.VALID
    assert verdict(valid, Asked(applied_on=last + timedelta(days=1))).code is Code.PAST_END


def test_the_same_vin_of_another_manufacturer_is_indeterminate(valid: Facts) -> None:
    record = valid.register_.record
    assert record is not None
    lines = (record.lines[0].model_copy(update={"is_conflict": True}), *record.lines[1:])
    register = valid.register_.model_copy(update={"record": record.model_copy(update={"lines": lines})})
    found = verdict(valid.model_copy(update={"register_": register}))
    assert (found.code, found.reason) == (Code.INDETERMINATE, "VIN_CONFLICT")


def test_in_production_a_test_seal_is_grey_whatever_else_is_true(valid: Facts) -> None:
    production = valid.model_copy(update={"trust": valid.trust.model_copy(update={"test": False})})
    assert valid.seal.test_policy
    found = verdict(production, mode="production")
    assert (found.code, found.would_be, found.outcome) == (Code.TEST_ONLY, Code.VALID, Outcome.NONE)
    altered = verdict(with_findings(production, {"digest": State.FAILED}), mode="production")
    assert (altered.code, altered.would_be) == (Code.TEST_ONLY, Code.ALTERED)


def test_an_unsealed_print_is_told_its_standing_and_shown_nothing(valid: Facts) -> None:
    record = valid.register_.record
    assert record is not None
    unsealed = valid.model_copy(
        update={"seal": valid.seal.model_copy(update={"form": Form.UNSEALED, "findings": (), "timestamp": None})}
    )
    found = verdict(unsealed, Asked(vins=(record.lines[0].vin, "1M8GDM9AXKP042788")))
    assert (found.code, found.confirmation, found.coverage.extra) == (Code.UNSEALED, None, ())
    assert [vin.state for vin in found.coverage.vins] == ["matched", "missing"]


def test_a_verdict_has_no_truth_value(valid: Facts) -> None:
    with pytest.raises(TypeError, match="truth value"):
        bool(verdict(valid))


def with_finding(facts: Facts, which: str, **changes: object) -> Facts:
    findings = tuple(found.model_copy(update=changes if found.id == which else {}) for found in facts.seal.findings)
    return facts.model_copy(update={"seal": facts.seal.model_copy(update={"findings": findings})})


@pytest.mark.parametrize("word", ["REVOKED", "REVOKED_NO_POE", "REVOKED_CA_NO_POE"])
def test_a_file_that_says_of_itself_that_it_is_revoked_is_revoked_whatever_the_list_says(
    valid: Facts, word: str
) -> None:
    revoked = with_finding(valid, "revocation", state=State.FAILED, sub_indication=word)
    assert (verdict(revoked).code, verdict(revoked).reason) == (Code.SEAL_REVOKED, "SEAL_REVOKED")
    stale = revoked.model_copy(update={"trust": valid.trust.model_copy(update={"expires": valid.at})})
    assert verdict(stale).code is Code.SEAL_REVOKED


def test_no_revocation_data_is_a_notice_where_a_register_speaks_and_a_doubt_elsewhere(valid: Facts) -> None:
    silent = with_finding(valid, "revocation", state=State.UNDETERMINED, sub_indication="TRY_LATER")
    for source in ("register", "bundle"):
        register = silent.register_.model_copy(update={"source": source})
        told = verdict(silent.model_copy(update={"register_": register}))
        assert (told.code, told.notices) == (Code.VALID_WITH_NOTICE, ("NO_REVOCATION_DATA",))
    register = silent.register_.model_copy(update={"source": "none"})
    alone = verdict(silent.model_copy(update={"register_": register}))
    assert (alone.code, alone.reason) == (Code.INDETERMINATE, "NO_REVOCATION_DATA")


def _expired(facts: Facts, recorded_at: object, *, sub_indication: str = "OUT_OF_BOUNDS_NO_POE") -> Facts:
    """The facts of a file without timestamp, whose certificate has expired since."""
    facts = with_entry(facts, from_at=facts.at - timedelta(days=30))
    facts = with_finding(facts, "chain", state=State.UNDETERMINED, sub_indication=sub_indication)
    span = {"chain_not_before": facts.at - timedelta(days=9), "chain_not_after": facts.at - timedelta(days=1)}
    seal = facts.seal.model_copy(update={"timestamp": None, **span})
    record = facts.register_.record
    assert record is not None
    record = record.model_copy(update={"recorded_at": recorded_at})
    register = facts.register_.model_copy(update={"record": record})
    return facts.model_copy(update={"seal": seal, "register_": register})


def test_the_register_places_an_expired_seal_in_its_time(valid: Facts) -> None:
    inside = valid.at - timedelta(days=2)
    assert verdict(_expired(valid, inside)).code is Code.VALID
    for outside in (valid.at, valid.at - timedelta(days=10), None):
        assert verdict(_expired(valid, outside)).code is not Code.VALID
    other = verdict(_expired(valid, inside, sub_indication="CHAIN_CONSTRAINTS_FAILURE"))
    assert other.code is Code.INDETERMINATE


def told_by_a_bundle(facts: Facts, at: datetime, *, expires: datetime | None = None, **changes: object) -> Facts:
    """The same facts, as a bundle of an instant tells them."""
    record = facts.register_.record
    assert record is not None
    told = Told(at=at, expires=expires or at + timedelta(days=7))
    changes = {"record": record.model_copy(update={"told": told}), "source": "bundle", "as_of": at, **changes}
    return facts.model_copy(update={"register_": facts.register_.model_copy(update=changes)})


SECOND, SKEW = timedelta(seconds=1), POLICY.clock_skew


@pytest.mark.parametrize(
    ("age", "code", "reason"),
    [
        (-SKEW - SECOND, Code.INDETERMINATE, "BUNDLE_FROM_FUTURE"),
        (-SKEW, Code.VALID, None),
        (SKEW, Code.VALID, None),
        (SKEW + SECOND, Code.VALID_WITH_NOTICE, "STANDING_AS_OF"),
        (timedelta(hours=24), Code.VALID_WITH_NOTICE, "STANDING_AS_OF"),
        (timedelta(hours=24) + SECOND, Code.INDETERMINATE, "STANDING_TOO_OLD"),
        (timedelta(days=7) - SECOND, Code.INDETERMINATE, "STANDING_TOO_OLD"),
        (timedelta(days=7), Code.INDETERMINATE, "BUNDLE_EXPIRED"),
    ],
)
def test_a_standing_told_long_ago_is_said_to_be_and_one_too_old_says_nothing(
    valid: Facts, age: timedelta, code: Code, reason: str | None
) -> None:
    found = verdict(told_by_a_bundle(valid, valid.at - age))
    assert (found.code, found.reason) == (code, reason)
    (check,) = (one for one in found.checks if one.id == "standing-current")
    assert (check.state is State.PASSED) is (code is not Code.INDETERMINATE)


@pytest.mark.parametrize(
    ("later", "reason"), [(-SECOND, "NOT_IN_BUNDLE_YET"), (timedelta(0), "NOT_IN_BUNDLE_YET"), (SECOND, None)]
)
def test_a_bundle_says_that_there_is_no_record_only_of_what_is_proven_older(
    valid: Facts, later: timedelta, reason: str | None
) -> None:
    assert valid.seal.timestamp is not None
    until = valid.seal.timestamp.at + POLICY.bundle_margin + later
    absent = told_by_a_bundle(valid, until, record=None, number_of_digest=None)
    found = verdict(absent)
    assert found.code is (Code.INDETERMINATE if reason else Code.NOT_REGISTERED)
    assert found.reason == (reason or "NUMBER_UNKNOWN")
    unproven = absent.model_copy(update={"seal": absent.seal.model_copy(update={"timestamp": None})})
    (check,) = (one for one in verdict(unproven).checks if one.id == "record")
    assert check.reason == "NOT_IN_BUNDLE_YET"


@pytest.mark.parametrize("asked", [{"vins": ("L0YSA3B29T0000101",)}, {"destination": "KZ"}, {"exporter": "91X"}])
def test_what_cannot_be_compared_is_not_covered_for_certain(valid: Facts, asked: dict[str, Any]) -> None:
    record = valid.register_.record
    assert record is not None
    bare = valid.register_.model_copy(update={"record": record.model_copy(update={"confirmation": None})})
    (check,) = covered(bare.record, Asked(**asked))  # type: ignore[arg-type]
    assert (check.state, check.reason) == (State.UNDETERMINED, "CONTENT_NOT_KNOWN")
    assert covered(bare.record, Asked()) == ()  # type: ignore[arg-type]


def test_a_valid_verdict_names_every_question_that_was_asked(valid: Facts) -> None:
    own = ["trust-list", "times", "content-form", "content-issuer", "entitled", "record"]
    of_log = ["log-proof", "log-issued"]
    of_record = ["standing", "vin-conflict", "until"]
    found = [check.id for check in verdict(valid).checks]
    seal = [finding.id for finding in valid.seal.findings]
    assert found == ["form", *seal, *own, *of_log, *of_record]
    assert set(IDS) <= set(seal)


@pytest.mark.parametrize(
    ("form", "reason", "code"),
    [
        (Form.UNREADABLE, "ENCRYPTED", Code.UNREADABLE),
        (Form.STRANGER, None, Code.NOT_A_CONFIRMATION),
        (Form.UNSEALED, None, Code.UNSEALED),
    ],
)
def test_what_was_handed_in_comes_first(valid: Facts, form: Form, reason: str | None, code: Code) -> None:
    seal = valid.seal.model_copy(update={"form": form, "reason": reason, "findings": ()})
    found = verdict(valid.model_copy(update={"seal": seal}))
    assert (found.code, found.checks[0].id, found.checks[0].state) == (code, "form", State.FAILED)
    assert found.seal_report is None


@pytest.mark.parametrize("lost", ["chain_not_before", "chain_not_after"])
def test_an_expired_chain_is_not_lifted_by_a_time_that_nobody_bounds(valid: Facts, lost: str) -> None:
    late = changed_finding(valid, "chain", state=State.UNDETERMINED, sub_indication="OUT_OF_BOUNDS_NO_POE")
    assert verdict(late).code is Code.VALID
    unbounded = late.model_copy(update={"seal": late.seal.model_copy(update={lost: None})})
    assert verdict(unbounded).code is Code.INDETERMINATE


def test_an_altered_file_is_altered_under_a_stale_list_too(valid: Facts) -> None:
    stale = valid.trust.model_copy(update={"expires": valid.at})
    altered = with_findings(valid, {"digest": State.FAILED}).model_copy(update={"trust": stale})
    assert verdict(altered).code is Code.ALTERED


@pytest.mark.parametrize(
    ("sub_indication", "reason"),
    [
        ("NO_CERTIFICATE_CHAIN_FOUND", "ARCHIVED_BY_OTHERS"),
        ("OUT_OF_BOUNDS_NO_POE", "ARCHIVE_LAPSED"),
        (None, "ARCHIVE"),
    ],
)
def test_an_archive_that_does_not_count_is_a_notice(valid: Facts, sub_indication: str | None, reason: str) -> None:
    facts = changed_finding(valid, "archive", state=State.UNDETERMINED, sub_indication=sub_indication)
    found = verdict(facts)
    assert (found.code, found.notices) == (Code.VALID_WITH_NOTICE, (reason,))


def changed_finding(facts: Facts, which: str, **changes: object) -> Facts:
    findings = tuple(found.model_copy(update=changes if found.id == which else {}) for found in facts.seal.findings)
    return facts.model_copy(update={"seal": facts.seal.model_copy(update={"findings": findings})})
