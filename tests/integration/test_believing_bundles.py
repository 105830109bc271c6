"""A bundle is hostile until it is believed, refused whole for one wrong byte, and never younger than it says."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from signer.cli import main
from signer.domain.evidence import Asked
from signer.domain.trust import Purpose, SealState
from signer.domain.verdict import Code
from signer.errors import BundleRefused, Conflict, InvalidInput, KeyUnavailable, Misconfigured, StorageUnavailable
from signer.seal import trust, validate
from signer.services import doctor_offline
from signer.verification.policy import Policy
from signer.wiring import wire_offline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.domain.verdict import Verdict
    from signer.wiring import Offline

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Post:
    """A register with one paper, its bundle of an instant, and verifiers who get what is sent to them."""

    world: worlds.World
    folder: Path
    pdf: bytes
    data: bytes

    @property
    def root(self) -> trust.RootKey:
        return trust.read_root(self.world.settings.trust_root_path.read_bytes())

    def make(self, **more: Any) -> bytes:
        path = self.folder / "made.bundle"
        self.world.services.bundling.make(path, **more)
        return path.read_bytes()

    def signed(self, change: Callable[[dict[str, Any]], None] = lambda _: None, *, body: bytes | None = None) -> bytes:
        """The bundle with another body, or another header, signed by the register's own key."""
        head, _, rest = self.data.split(b"\n", 2)
        rest = rest if body is None else body
        plain = json.loads(head) | {"size": len(rest), "sha256": hashlib.sha256(rest).hexdigest()}
        change(plain)
        header = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        key = self.world.services.service_keys.open(Purpose.BUNDLE)
        return header + b"\n" + key.sign_detached(header, typ="signer-bundle+jws") + b"\n" + rest

    def verifier(self, *bundles: bytes, at: Any = None, name: str = "node") -> Offline:
        clock = lambda: at or self.world.at  # noqa: E731
        found = wire_offline(self.world.settings, folder=self.folder / name, clock=clock, judge=validate.validate)
        for each in bundles:
            take(found, each, self.root)
        return found

    def verdict(self, after: timedelta, **asked: Any) -> Verdict:
        """What the bundle says of the paper so long after it was made."""
        if not (self.folder / "age").exists():
            self.verifier(self.data, name="age")
        return self.verifier(at=self.world.at + after, name="age").verifying.file(self.pdf, Asked(**asked))


def take(found: Offline, data: bytes, *roots: trust.RootKey) -> None:
    found.shelf.take(io.BytesIO(data), pinned=roots)


@pytest.fixture(scope="module")
def made(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, bytes]:
    folder = tmp_path_factory.mktemp("post")
    world = worlds.World(worlds.copy(template_folder, folder / "data"))
    pdf = world.issue(worlds.sample(worlds.KAZAKHSTAN)).pdf
    world.at += HOUR
    world.services.bundling.make(folder / "whole.bundle")
    world.services.database.close()
    return folder / "data", pdf, (folder / "whole.bundle").read_bytes()


@pytest.fixture
def post(made: tuple[Path, bytes, bytes], tmp_path: Path) -> Post:
    folder, pdf, data = made
    world = worlds.World(worlds.copy(folder, tmp_path / "data"), at=worlds.AT + HOUR)
    return Post(world, tmp_path, pdf, data)


@pytest.mark.parametrize(
    ("after", "code", "reason"),
    [
        (timedelta(), Code.VALID, None),
        (5 * MINUTE, Code.VALID, None),
        (3 * HOUR, Code.VALID_WITH_NOTICE, "STANDING_AS_OF"),
        (DAY, Code.VALID_WITH_NOTICE, "STANDING_AS_OF"),
        (DAY + MINUTE, Code.INDETERMINATE, "STANDING_TOO_OLD"),
        (7 * DAY - MINUTE, Code.INDETERMINATE, "STANDING_TOO_OLD"),
        (7 * DAY, Code.INDETERMINATE, "BUNDLE_EXPIRED"),
        (-6 * MINUTE, Code.INDETERMINATE, "BUNDLE_FROM_FUTURE"),
    ],
)
def test_an_old_bundle_is_a_notice_then_a_doubt(post: Post, after: timedelta, code: Code, reason: str | None) -> None:
    found = post.verdict(after)
    assert (found.code, found.reason) == (code, reason)
    assert found.standing_as_of == worlds.AT + HOUR


def test_an_old_bundle_turns_nothing_red_into_a_doubt(post: Post) -> None:
    assert post.verdict(8 * DAY, destination="UZ").code is Code.NOT_COVERED
    spoilt = post.pdf[:5000] + bytes([post.pdf[5000] ^ 1]) + post.pdf[5001:]
    assert post.verifier(at=post.world.at + 8 * DAY, name="age").verifying.file(spoilt).code is Code.ALTERED


def test_silence_counts_only_for_what_is_proven_older_than_the_bundle(post: Post) -> None:
    node = post.verifier(post.data)
    sealed_after = post.world.issue(worlds.fresh(worlds.KAZAKHSTAN, 1)).pdf
    found = node.verifying.file(sealed_after)
    assert (found.code, found.reason) == (Code.INDETERMINATE, "NOT_IN_BUNDLE_YET")
    post.world.at += 14 * MINUTE
    assert (
        post.verifier(_without(post, sealed_after), name="soon").verifying.file(sealed_after).reason
        == "NOT_IN_BUNDLE_YET"
    )
    post.world.at += 2 * MINUTE
    assert (
        post.verifier(_without(post, sealed_after), name="late").verifying.file(sealed_after).code
        is Code.NOT_REGISTERED
    )


def _without(post: Post, pdf: bytes) -> bytes:
    """A bundle made now by a register that never heard of a paper."""
    number = post.world.services.verifying.gather(pdf).content.confirmation.number  # type: ignore[union-attr]
    post.data = post.make()
    kept = [line for line in post.data.split(b"\n", 2)[2].splitlines(keepends=True) if number.encode() not in line]

    def fewer(plain: dict[str, Any]) -> None:
        plain["counts"]["records"] -= 1

    return post.signed(fewer, body=b"".join(kept))


def test_a_paper_without_timestamp_is_never_missing_with_authority(post: Post) -> None:
    post.world.overrides["SIGNER_TSA_URLS"] = "http://127.0.0.1:9/"
    post.world.rewire()
    plain = post.world.issue(worlds.fresh(worlds.KAZAKHSTAN, 2)).pdf
    post.world.at += 3 * DAY
    found = post.verifier(_without(post, plain)).verifying.file(plain)
    assert (found.code, found.reason) == (Code.INDETERMINATE, "NOT_IN_BUNDLE_YET")


def test_any_changed_byte_is_refused_and_nothing_is_kept(post: Post) -> None:
    node = post.verifier()
    for place in range(0, len(post.data), 97):
        spoilt = post.data[:place] + bytes([post.data[place] ^ 1]) + post.data[place + 1 :]
        with pytest.raises(BundleRefused):
            take(node, spoilt, post.root)
    for spoilt in (b"", b"\n\n\n", post.data[:-1], post.data + b"\n", post.data + b"{}\n", post.data[:2000]):
        with pytest.raises(BundleRefused):
            take(node, spoilt, post.root)
    assert [path.name for path in (post.folder / "node").iterdir()] == [".lock"]
    with pytest.raises(Misconfigured, match="no offline bundle"):
        node.verifying.file(post.pdf)


def _records(post: Post) -> tuple[list[bytes], bytes]:
    *first, record = post.data.split(b"\n", 2)[2].splitlines(keepends=True)
    return first, record


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda plain: plain.update(extra=1), "extra"),
        (lambda plain: plain.update(standing="fine"), "standing"),
        (lambda plain: plain.update(until=None), "canonical"),
        (lambda plain: plain.update(lines=[{"standing": "issued"}], conflict=True), "either lines or one word"),
        (lambda plain: plain.update(sealed_digests=["0" * 63]), "sealed_digests"),
        (lambda plain: plain.update(number="AAAAA-AAAAA-AAAA"), "number"),
    ],
)
def test_a_signed_record_of_another_form_is_refused(post: Post, spoil: Callable[[Any], None], why: str) -> None:
    first, record = _records(post)
    plain = json.loads(record)
    spoil(plain)
    line = json.dumps(plain, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(BundleRefused, match=why):
        post.verifier(post.signed(body=b"".join((*first, line))))


def test_a_signed_record_that_stands_twice_or_says_a_key_twice_is_refused(post: Post) -> None:
    first, record = _records(post)

    def two(plain: dict[str, Any]) -> None:
        plain["counts"]["records"] = 2

    with pytest.raises(BundleRefused, match="twice, or not in its order"):
        post.verifier(post.signed(two, body=b"".join((*first, record, record))))
    twice = record.replace(b'"standing":"issued"', b'"standing":"withdrawn","standing":"issued"')
    with pytest.raises(BundleRefused, match="canonical"):
        post.verifier(post.signed(body=b"".join((*first, twice))))
    with pytest.raises(BundleRefused, match="cut off"):
        post.verifier(post.signed(two))


def test_a_digest_under_two_numbers_is_refused(post: Post) -> None:
    first, record = _records(post)
    plain = json.loads(record) | {"number": "ZSATC-FJSWB-0TKC", "content_digest": "1" * 64}
    other = json.dumps(plain, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    def two(header: dict[str, Any]) -> None:
        header["counts"]["records"] = 2

    with pytest.raises(BundleRefused, match="two numbers"):
        post.verifier(post.signed(two, body=b"".join((*first, *sorted((record, other), key=_number)))))


def _number(line: bytes) -> str:
    return str(json.loads(line)["number"])


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"origin": "Another"}, "another trust list"),
        ({"test": False}, "another trust list"),
        ({"trust_list": 9}, "another trust list"),
        ({"expires": "2027-11-22T04:00:00Z"}, "at most 30 days"),
        ({"expires": "2026-11-22T04:00:00Z"}, "at most 30 days"),
        ({"since": "2026-11-22T04:00:00Z"}, "since lies before"),
        ({"since": "2026-11-22T03:00:00Z"}, "nothing to lay it over"),
        ({"size": 0}, "size"),
        ({"schema": "signer.bundle/3"}, "schema"),
        ({"schema": "signer.bundle/2"}, "status lists are counted in"),
        ({"extra": 1}, "extra"),
        ({"complete_until": "2026-11-22T04:00:00.5Z"}, "complete_until"),
        ({"complete_until": "2020-11-22T04:00:00Z", "expires": "2020-11-23T04:00:00Z"}, "was not entitled then"),
    ],
)
def test_a_signed_header_that_breaks_a_rule_is_refused(post: Post, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(BundleRefused, match=why):
        post.verifier(post.signed(lambda plain: plain.update(changed)))


def test_only_a_key_listed_for_bundles_and_in_force_signs_one(post: Post) -> None:
    receipts = post.world.services.service_keys.open(Purpose.RECEIPT)
    head, _, rest = post.data.split(b"\n", 2)
    by_another = head + b"\n" + receipts.sign_detached(head, typ="signer-bundle+jws") + b"\n" + rest
    with pytest.raises(BundleRefused, match="names no key"):
        post.verifier(by_another)
    bundles = post.world.services.service_keys.open(Purpose.BUNDLE)
    other_type = head + b"\n" + bundles.sign_detached(head, typ="signer-receipt+jwt") + b"\n" + rest
    with pytest.raises(BundleRefused, match="typ"):
        post.verifier(other_type)
    now = post.world.at
    states = (
        ({"state": SealState.SUSPENDED, "state_since": now}, "is suspended"),
        ({"state": SealState.VERIFY_ONLY, "state_since": now - MINUTE}, "was retired before"),
        ({"state": SealState.REVOKED, "revoked_at": now, "reason": "stolen", "state_since": now}, "is revoked"),
    )
    for changes, why in states:
        post.world.publish(
            lambda entry, to=changes: entry.model_copy(update=to) if entry.purpose == "bundle" else entry
        )  # type: ignore[misc]
        published = post.world.settings.trust_list_path.read_bytes().strip()
        sequence = post.world.services.trust.current(now).sequence
        body = published + b"\n" + rest.split(b"\n", 1)[1]
        plain = json.loads(head) | {
            "trust_list": sequence,
            "size": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        header = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        with pytest.raises(BundleRefused, match=why):
            post.verifier(header + b"\n" + bundles.sign_detached(header, typ="signer-bundle+jws") + b"\n" + body)


def test_another_root_and_another_mode_are_refused(post: Post, template_folder: Path, tmp_path: Path) -> None:
    stranger = worlds.World(worlds.build(_made(tmp_path / "stranger")))
    theirs = trust.read_root(stranger.settings.trust_root_path.read_bytes())
    node = post.verifier()
    with pytest.raises(BundleRefused, match="not pinned here"):
        take(node, post.data, theirs)
    with pytest.raises(BundleRefused, match="not pinned here"):
        take(node, post.data)
    production = post.world.settings.model_copy(update={"mode": "production"})
    strict = wire_offline(
        production, folder=post.folder / "strict", clock=lambda: post.world.at, judge=validate.validate
    )
    with pytest.raises(BundleRefused, match="TEST bundle"):
        take(strict, post.data, post.root)
    stranger.services.database.close()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_two_issuers_side_by_side_each_answer_for_their_own(post: Post, tmp_path: Path) -> None:
    other = worlds.World(worlds.build(_made(tmp_path / "other")))
    theirs = other.issue(worlds.sample(worlds.KAZAKHSTAN)).pdf
    other.at += HOUR
    other.services.bundling.make(tmp_path / "other.bundle")
    node = post.verifier(post.data)
    assert node.verifying.file(theirs).code is Code.UNKNOWN_SEAL
    take(node, (tmp_path / "other.bundle").read_bytes(), trust.read_root(other.settings.trust_root_path.read_bytes()))
    assert [node.verifying.file(pdf).code for pdf in (post.pdf, theirs)] == [Code.VALID, Code.VALID]
    assert node.verifying.file(b"").code is Code.UNREADABLE
    digest = hashlib.sha256(theirs).hexdigest()
    assert (node.lookups.digest(digest).code, node.lookups.digest("0" * 64).reason) == (Code.ON_RECORD, "SEND_FILE")
    other.services.database.close()


def test_deltas_follow_each_other_and_nothing_goes_back(post: Post) -> None:
    first = post.world.at
    post.world.at += HOUR
    second, one = post.world.at, post.make(since=first)
    post.world.at += HOUR
    two = post.make(since=second)
    wide = post.make(since=first)
    node = post.verifier(post.data)
    with pytest.raises(BundleRefused, match="is missing"):
        take(node, two, post.root)
    with pytest.raises(BundleRefused, match="not later"):
        take(node, post.data, post.root)
    take(node, one, post.root)
    take(node, two, post.root)
    for older in (one, two, post.data):
        with pytest.raises(BundleRefused, match="not later"):
            take(node, older, post.root)
    assert node.shelf.issuers()[0].header.complete_until == post.world.at
    skipping = post.verifier(post.data, wide, name="skipping")
    assert skipping.shelf.issuers()[0].header.complete_until == post.world.at
    assert node.verifying.file(post.pdf).code is Code.VALID


def test_an_imported_list_is_never_replaced_by_an_older_or_weaker_one(post: Post) -> None:
    post.world.at += HOUR
    post.world.publish()
    node = post.verifier(post.make())
    post.world.at += HOUR
    older = post.world.settings.data_dir / "trust-list.1.jws"
    rest = post.make().split(b"\n", 2)[2].split(b"\n", 1)[1]
    post.data = post.make()
    back = post.signed(lambda plain: plain.update(trust_list=1), body=older.read_bytes().strip() + b"\n" + rest)
    with pytest.raises(BundleRefused, match="is older than 2"):
        take(node, back, post.root)


def test_an_import_that_was_cut_off_leaves_nothing_that_counts(post: Post) -> None:
    node = post.verifier(post.data)
    lost = post.folder / "node" / ".ff.bundle.sqlite3.0123abcd"
    lost.write_bytes(b"half")
    assert node.verifying.file(post.pdf).code is Code.VALID
    with pytest.raises(BundleRefused):
        take(node, post.data, post.root)
    assert not lost.exists()


def test_a_damaged_store_is_said_to_be_damaged(post: Post) -> None:
    node = post.verifier(post.data)
    (kept,) = (post.folder / "node").glob("*.sqlite3")
    kept.write_bytes(b"not what it was")
    with pytest.raises(StorageUnavailable, match="import the bundle again"):
        node.verifying.file(post.pdf)


def test_what_is_imported_while_it_runs_counts_from_the_next_question_on(post: Post) -> None:
    node, elsewhere = post.verifier(post.data), post.verifier()
    assert node.verifying.file(post.pdf).code is Code.VALID
    post.world.services.ending.suspend(
        node.verifying.file(post.pdf).number,  # type: ignore[arg-type]
        manufacturer=worlds.YUNZHOU,
        by=worlds.PEOPLE[worlds.YUNZHOU][0],
    )
    since = post.world.at - HOUR
    post.world.at += MINUTE
    take(elsewhere, post.make(since=since), post.root)
    assert node.verifying.file(post.pdf).reason == "SUSPENDED"


def test_no_bundle_is_made_without_its_key_or_of_the_future_or_over_a_restore(post: Post) -> None:
    with pytest.raises(InvalidInput, match="future"):
        post.make(since=post.world.at)
    with pytest.raises(InvalidInput, match="1 to 30 days"):
        post.make(lasts=31 * DAY)
    gap = "'2026-11-22T03:30:00.000000Z', '2026-11-22T03:40:00.000000Z', x'00'"
    post.world.change(f"INSERT INTO restores (backup_at, restored_at, archive_digest) VALUES ({gap})")
    with pytest.raises(Conflict, match="whole bundle"):
        post.make(since=post.world.at - 2 * HOUR)
    node = post.verifier(post.make(), name="gap")
    verdict = node.verifying.file(post.pdf)
    assert (verdict.code, verdict.notices) == (Code.VALID_WITH_NOTICE, ("STANDING_INCOMPLETE",))
    (post.world.settings.keys / "bundle.pem").unlink()
    with pytest.raises(KeyUnavailable, match="no bundle key"):
        post.make()
    assert [path.name for path in post.folder.glob("*.bundle*")] == ["made.bundle"]


def test_look_ups_by_vins_say_that_they_need_the_register(post: Post) -> None:
    lookups, number = post.verifier(post.data).lookups, post.verdict(timedelta()).number or ""
    asked = Asked(vins=("L0YSA3B29T0000101",), destination="KZ", exporter=worlds.TIANSHAN)
    for found in (lookups.by_tail(number, "000101", network="n"), lookups.covered((number,), asked, network="n")):
        assert (found.code, found.reason) == (Code.INDETERMINATE, "REGISTER_NEEDED")
    with pytest.raises(InvalidInput):
        lookups.by_tail("AAAAA-AAAAA-AAAA", "000101", network="n")


def test_the_doctor_names_a_bundle_that_is_missing_old_expired_or_of_the_future(post: Post) -> None:
    def found(offline: Offline, after: timedelta) -> list[tuple[str, str]]:
        policy = Policy(mode="test")
        symptoms = doctor_offline.examine(offline.shelf, policy=policy, at=post.world.at + after)
        return [(symptom.health, symptom.detail) for symptom in symptoms if symptom.part in ("bundles", "trust-list")]

    ((health, detail),) = found(post.verifier(), timedelta())
    assert (health, "import-bundle" in detail) == ("error", True)
    node = post.verifier(post.data)
    for after, health, word in (
        (timedelta(), "ok", "as of"),
        (DAY + MINUTE, "warning", "too old"),
        (7 * DAY, "error", "expired"),
        (-HOUR, "error", "clock off"),
    ):
        told = found(node, after)
        assert (told[0][0], word in told[0][1]) == (health, True)
    assert found(node, 25 * DAY)[1][0] == "warning"


def test_sha256_and_es256_are_enough_to_believe_a_bundle(post: Post) -> None:
    head, token, rest = post.data.split(b"\n", 2)
    published = rest.split(b"\n", 1)[0]
    (entry,) = (one for one in json.loads(_plain(published.split(b".")[1]))["entries"] if one["purpose"] == "bundle")
    key = x509.load_der_x509_certificate(base64.b64decode(entry["certificate"])).public_key()
    header, empty, signature = token.split(b".")
    signed = header + b"." + base64.urlsafe_b64encode(head).rstrip(b"=")
    r, s = (int.from_bytes(_plain(signature)[at : at + 32], "big") for at in (0, 32))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    assert (json.loads(_plain(header))["typ"], empty) == ("signer-bundle+jws", b"")
    told = json.loads(head)
    assert (told["size"], told["sha256"]) == (len(rest), hashlib.sha256(rest).hexdigest())
    record = json.loads(rest.splitlines()[-1])
    assert hashlib.sha256(post.pdf).hexdigest() in record["file_digests"]
    assert not any(word in post.data for word in (b"L0YSA3B2", worlds.TIANSHAN.encode()))
    assert "KZ" not in record.values()  # by value: two letters also turn up by chance, in a number or in base64


def _plain(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def test_the_command_line_carries_a_bundle_from_register_to_verifier(
    live_world: worlds.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(folder: str, *words: str) -> tuple[int, str]:
        monkeypatch.setenv("SIGNER_DATA_DIR", str(tmp_path / folder))
        monkeypatch.setattr(sys, "argv", ["signer", *words])
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0), "".join(capsys.readouterr())
        return 0, "".join(capsys.readouterr())

    names = ("cli.bundle", "paper.pdf", "data/keys/trust-root.pub.pem")
    bundle, paper, root = (str(tmp_path / name) for name in names)
    plain = worlds.sample(worlds.KAZAKHSTAN, today=live_world.at.date())
    (tmp_path / "paper.pdf").write_bytes(live_world.issue(plain).pdf)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    code, told = run("data", "bundle", bundle)
    assert (code, "1 records" in told) == (0, True)
    assert run("far", "verify", "--offline", paper)[0] == 70
    assert run("far", "verify", "--bundle", bundle, paper)[0] == 64
    assert run("far", "verify", "--offline", "--root", root, paper)[0] == 64
    assert run("far", "verify", "--offline", "--bundle", str(tmp_path / "none"), paper)[0] == 64
    assert run("far", "verify", "--offline", "--bundle", bundle, paper)[0] == 64
    code, told = run("far", "verify", "--offline", "--allow-test", "--bundle", bundle, "--root", root, paper)
    assert (code, told.split()[1]) == (0, "VALID")
    assert run("far", "doctor", "--verify-only")[0] == 1
    assert run("far", "import-bundle", bundle, "--root", root)[0] == 0
    code, told = run("far", "import-bundle", bundle)
    assert (code, "bundle-refused" in told) == (1, True)
    assert run("far", "verify", "--offline", "--allow-test", paper)[0] == 0
    code, told = run("far", "doctor", "--verify-only", "--json")
    assert code == 0
    assert [json.loads(line)["part"] for line in told.splitlines()] == ["sandbox", "bundles"]
