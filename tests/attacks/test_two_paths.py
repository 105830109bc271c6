"""The fast path never says anything but what the full path says, and it knows every honest file of ours."""

from __future__ import annotations

import os
import random
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import genuine as honest
import pytest
import world as worlds
from flips import flipped, mutated, near_the_value
from logged import issue_beside
from pyhanko.pdf_utils import generic
from two_paths import Parted, Score, played, respelt, sealed_anew, structure, substituted

from signer.domain.trust import Purpose, SealState, TrustList
from signer.seal import validate
from signer.seal.fast import judge
from signer.seal.findings import Id
from signer.seal.witness import Stamps, Witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    from signer.domain.trust import TrustEntry
    from signer.seal.timestamp import Stamp, Timestamper

SEED = int(os.environ.get("SOAK_SEED", str(random.SystemRandom().randrange(1 << 32))))
COUNT = int(os.environ.get("SOAK_COUNT", "20000"))
SECONDS, ANSWERS = 0.7, 6
"""So long each kind of change is tried in the ordinary run, and so often the full path is asked."""
YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def made(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[honest.Genuine]:
    folder = tmp_path_factory.mktemp("paths")
    world = worlds.World(worlds.copy(template_folder, folder / "data"))
    yield honest.Genuine(world=world, issued=world.issue(worlds.sample(worlds.KAZAKHSTAN)), elsewhere=folder / "far")
    world.services.database.close()


@pytest.fixture(scope="module")
def copy(made: honest.Genuine) -> bytes:
    """An archive copy, made two days later, to which one more revision was added after five months."""
    world = made.world
    world.at += timedelta(days=2)
    assert world.services.upgrading.upgrade().made >= 1
    return world.services.upgrading.fetch(made.issued.number)


def tries(score: Score, *, soak: bool) -> Iterator[int]:
    """Count on until the time is over or the full path was asked often enough; for the soak until the count is."""
    ends, turn = time.monotonic() + SECONDS, 0
    while score.asked < COUNT if soak else time.monotonic() < ends and score.answered < ANSWERS:
        yield turn
        turn += 1


def test_it_leaves_an_archive_copy_to_the_full_path_where_that_compares_revisions(
    made: honest.Genuine, copy: bytes
) -> None:
    """PyHanko reads all of S for that, and finds faults there that nobody else looks for."""
    score = Score()
    assert not score.compare(copy, made.trust, made.world.at, "a small one")
    assert score.reasons == {"pyHanko compares the revisions": 1}


@pytest.mark.parametrize("name", [worlds.EMIRATES, worlds.RUSSIA, worlds.MEXICO])
def test_it_knows_every_file_that_is_issued_here(made: honest.Genuine, name: str) -> None:
    score, world = Score(), made.world
    assert score.compare(world.issue(worlds.fresh(name, 7)).pdf, made.trust, world.at, name), score.reasons


def test_it_knows_a_file_of_one_vehicle_without_a_proof_of_the_log(made: honest.Genuine) -> None:
    score, plain = Score(), worlds.fresh(worlds.KAZAKHSTAN, 30)
    plain["vehicles"] = plain["vehicles"][:1]
    pdf = issue_beside(made.world, plain).pdf
    assert score.compare(pdf, made.trust, made.world.at, "one vehicle"), score.reasons
    assert validate.quickly(pdf, made.trust, made.world.at).log_proof is None
    assert validate.quickly(made.pdf, made.trust, made.world.at).log_proof is not None


def test_it_knows_what_was_sealed_at_a_lower_level(made: honest.Genuine) -> None:
    score, key, at = Score(), made.ours.seal("yunzhou"), made.world.at
    for stamper in (None, made.ours.timestamper(made.trust)):
        pdf = sealed_anew(made.pdf, key, stamper, at)
        assert score.compare(pdf, made.trust, at, "B-B or B-T"), score.reasons


@pytest.mark.parametrize("soak", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_changed_bytes_part_the_paths_never(made: honest.Genuine, copy: bytes, soak: bool) -> None:
    score, chance, trust, at = Score(), random.Random(SEED), made.trust, made.world.at
    near = {len(pdf): near_the_value(pdf) for pdf in (made.pdf, copy)}
    for turn in tries(score, soak=soak):
        pdf = (made.pdf, copy)[turn % 2]
        kind = turn // 2 % 3
        if kind == 0:
            changed = mutated(pdf, chance)
        elif kind == 1:
            changed = flipped(pdf, chance.choice(near[len(pdf)]), chance.randrange(8))
        else:
            changed = made.pdf + mutated(copy[len(made.pdf) :], chance)
        if changed not in (made.pdf, copy):
            score.compare(changed, trust, at, f"seed {SEED}, try {score.asked}")
    score.tell(f"seed {SEED}")
    assert score.answered <= score.asked // 100


@pytest.mark.parametrize("soak", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_changed_file_that_the_listed_key_seals_anew_parts_them_never(made: honest.Genuine, soak: bool) -> None:
    """Every byte outside of streams may mean something else now, and the signature is good: only the readers differ."""
    score, chance, key, at = Score(), random.Random(SEED), made.ours.seal("yunzhou"), made.world.at
    stamper, places = made.ours.timestamper(made.trust), structure(made.pdf)
    since = made.pdf.index(b"%%EOF") - 6000
    late = [place for place in places if place > since]
    for turn in tries(score, soak=soak):
        changed = substituted(made.pdf, late if turn % 4 else places, chance)
        if changed.count(b"/Contents <") != made.pdf.count(b"/Contents <"):
            continue
        score.compare(sealed_anew(changed, key, stamper, at), made.trust, at, f"seed {SEED}, try {score.asked}")
    score.tell(f"seed {SEED}")
    assert score.answered


def test_games_with_tables_trailers_and_names_part_them_never(made: honest.Genuine) -> None:
    score, key, at = Score(), made.ours.seal("yunzhou"), made.world.at
    for told, changed in played(made.pdf):
        score.compare(sealed_anew(changed, key, None, at), made.trust, at, told)
    score.tell("games")


def test_a_value_spelt_otherwise_is_not_its_own(made: honest.Genuine, copy: bytes) -> None:
    score = Score()
    assert score.compare(made.pdf, made.trust, made.world.at, "the form that all of them nearly have is known")
    for pdf in (made.pdf, copy):
        for told, changed in respelt(pdf):
            assert not score.compare(changed, made.trust, made.world.at, told), told
    assert score.asked > 60


def test_whatever_follows_or_is_swapped_parts_them_never(made: honest.Genuine, copy: bytes) -> None:
    score, at = Score(), made.world.at
    other = made.other.pdf
    for told, changed in (
        ("a blank behind", made.pdf + b" "),
        ("a line behind", made.pdf + b"\n"),
        ("a comment behind", made.pdf + b"%\n"),
        ("the last line cut", made.pdf[:-1]),
        ("the end cut", made.pdf[:-6]),
        ("its revision twice", copy + copy[len(made.pdf) :]),
        ("another's revision", other + copy[len(made.pdf) :]),
        ("a blank behind a copy", copy + b"\n"),
        ("the other's whole file behind", made.pdf + other),
    ):
        assert not score.compare(changed, made.trust, at, told), told


def test_at_every_time_and_under_every_list_they_say_the_same(made: honest.Genuine, copy: bytes) -> None:
    """Revoked, suspended, expired, not yet valid, not listed, otherwise named: the seal, its authority, its chain."""
    score, at = Score(), made.world.at
    for moment in (
        at,
        at - 30 * YEAR,
        at - timedelta(days=3),
        at + 2 * YEAR,
        at + 9 * YEAR,
        at + 11 * YEAR,
        at + 30 * YEAR,
    ):
        for pdf in (made.pdf, copy):
            score.compare(pdf, made.trust, moment, f"at {moment}")
    for turn, (told, trust) in enumerate(lists(made)):
        score.compare(made.pdf if turn % 3 else copy, trust, at, told)
    score.tell("times and lists")
    assert score.answered >= 4


def lists(made: honest.Genuine) -> Iterator[tuple[str, TrustList]]:
    trust, at = made.trust, made.world.at
    for purpose in (Purpose.PDF_SEAL, Purpose.TSA, Purpose.CA):
        kept = tuple(entry for entry in trust.entries if entry.purpose is not purpose)
        yield f"no {purpose.value}", trust.model_copy(update={"entries": kept})
        for state in SealState:
            since = at - timedelta(days=30) if purpose is Purpose.TSA else at
            changes = {"state": state, "state_since": since, "revoked_at": since, "compromised_from": since}
            yield f"{purpose.value} {state.value} since {since}", _changed(trust, purpose, changes)
        yield f"{purpose.value} otherwise named", _changed(trust, purpose, {"legal_name": "另一家样例汽车有限公司"})
        yield f"{purpose.value} without chain", _changed(trust, purpose, {"chain": ()})
        later = {"from_at": at + timedelta(days=1)}
        yield f"{purpose.value} not entitled yet", _changed(trust, purpose, later)


def _changed(trust: TrustList, purpose: Purpose, changes: dict[str, object]) -> TrustList:
    entries = (one.model_copy(update=changes) if one.purpose is purpose else one for one in trust.entries)
    return trust.model_copy(update={"entries": tuple(entries)})


def test_a_fast_path_that_forgot_the_imprint_would_be_seen(made: honest.Genuine, monkeypatch: Any) -> None:
    """Broken by hand: the token of another file is put into a seal."""
    at, stamper = made.world.at, made.ours.timestamper(made.trust)
    swapped = sealed_anew(made.pdf, made.ours.seal("yunzhou"), Elsewhere(stamper), at)
    assert not Score().compare(swapped, made.trust, at, "a token over something else")
    real = judge._token
    monkeypatch.setattr(
        judge,
        "_token",
        lambda data, *, imprint_of, authorities: real(data, imprint_of=SOMETHING_ELSE, authorities=authorities),
    )
    with pytest.raises(Parted, match="HASH_FAILURE"):
        Score().compare(swapped, made.trust, at, "a token over something else")


def test_a_fast_path_that_forgot_revocation_would_be_seen(made: honest.Genuine, monkeypatch: Any) -> None:
    """Broken by hand: the file itself says that its seal is revoked."""
    at, key = made.world.at, made.ours.seal("yunzhou")
    page = made.pdf[: made.pdf.index(b"%%EOF") + 6]
    since = at - timedelta(hours=1)
    revoked = made.resealed(key, page, evidence=made.evidence(**{key.certificate.digest: since}))
    assert not Score().compare(revoked, made.trust, at, "revoked")
    monkeypatch.setattr(judge, "Witness", Forgetful)
    with pytest.raises(Parted, match="REVOKED"):
        Score().compare(revoked, made.trust, at, "revoked")


def test_a_fast_path_that_let_bytes_follow_would_be_seen(made: honest.Genuine, monkeypatch: Any) -> None:
    """Broken by hand: a revision follows the seal that anybody can write, and nobody reads it."""

    def language(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/Lang"] = generic.TextStringObject("en")
        writer.update_root()

    longer = made.updated(language)
    assert not Score().compare(longer, made.trust, made.world.at, "longer")
    monkeypatch.setattr(judge, "_revisions", lambda *_: ())
    with pytest.raises(Parted, match="bytes follow what was sealed"):
        Score().compare(longer, made.trust, made.world.at, "longer")


SOMETHING_ELSE = b"what another file's seal is"


class Elsewhere:
    """Stamps something else than it is asked to."""

    def __init__(self, real: Timestamper) -> None:
        self._real = real

    def stamp(self, _: bytes, *, intended_at: datetime) -> Stamp:
        return self._real.stamp(SOMETHING_ELSE, intended_at=intended_at)


class Forgetful(Witness):
    """Asks nobody about revocation."""

    def revocation(self, entry: TrustEntry, stamps: Stamps) -> bool:
        self._findings.passed(Id.REVOCATION)
        return True
