"""An evidence bundle is hostile until the pinned root's list believes each of its parts; then its PDF has a verdict."""

from __future__ import annotations

import base64
import io
import json
import struct
import warnings
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds

from signer.cli import main
from signer.domain import status_list as plain
from signer.domain.evidence import Asked
from signer.domain.status_list import Status
from signer.domain.trust import Purpose, SealState
from signer.domain.verdict import Code
from signer.errors import BundleRefused
from signer.register import endings
from signer.register.scope import Scope
from signer.seal import status_list, trust, validate
from signer.services import evidence_opening
from signer.services.evidence import pack
from signer.wiring import wire_offline

if TYPE_CHECKING:
    from pathlib import Path

    from signer.domain.number import Number
    from signer.domain.trust import TrustEntry
    from signer.services.evidence_judging import Judged
    from signer.wiring import Offline

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALL = Scope.everything("a test ends a paper")


@pytest.fixture
def database() -> str:
    """Where the register is makes no difference to who cannot ask it."""
    return "sqlite"


@dataclass
class Case:
    """A register with one paper, its evidence bundle of an hour later, and whoever checks that bundle far away."""

    world: worlds.World
    folder: Path
    number: Number
    data: bytes

    @property
    def root(self) -> trust.RootKey:
        return trust.read_root(self.world.settings.trust_root_path.read_bytes())

    def files(self) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def but(self, **changes: bytes | None) -> bytes:
        """The bundle packed anew, with parts exchanged (`_` for the dot and the dash in their names) or left out."""
        names = {name.replace(".", "_").replace("-", "_"): name for name in self.files()}
        found = self.files() | {names.get(key, key): data for key, data in changes.items()}  # type: ignore[dict-item]
        return pack({name: data for name, data in found.items() if data is not None})

    def node(self) -> Offline:
        return wire_offline(
            self.world.settings, folder=self.folder / "far", clock=lambda: self.world.at, judge=validate.validate
        )

    def judge(self, data: bytes | None = None, *, node: Offline | None = None, **asked: Any) -> Judged:
        house = node or self.node()
        return house.evidence.file(data or self.data, Asked(**asked), pinned=(self.root,))

    def code(self, data: bytes | None = None) -> tuple[Code, str | None]:
        verdict = self.judge(data).verdict
        return verdict.code, verdict.reason

    def keep(self) -> Offline:
        """A verifier that keeps an offline bundle of now."""
        path, node = self.folder / "kept.bundle", self.node()
        self.world.services.bundling.make(path)
        node.shelf.take(io.BytesIO(path.read_bytes()), pinned=(self.root,))
        return node

    def packed_now(self) -> bytes:
        return self.world.services.evidence.bundle(self.number, manufacturer=worlds.YUNZHOU)

    def withdraw(self) -> None:
        with self.world.services.database.write() as tx:
            endings.withdraw(tx, self.number, scope=ALL, vins=(), reason="error", at=self.world.at)


@pytest.fixture(scope="module")
def made(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Number, bytes]:
    folder = tmp_path_factory.mktemp("evidence")
    world = worlds.World(worlds.copy(template_folder, folder / "data"))
    number = world.issue(worlds.sample(worlds.KAZAKHSTAN)).number
    world.at += HOUR
    world.services.status_lists.sign()
    world.services.sequencing.run()
    data = world.services.evidence.bundle(number, manufacturer=worlds.YUNZHOU)
    world.services.database.close()
    return folder / "data", number, data


@pytest.fixture
def case(made: tuple[Path, Number, bytes], tmp_path: Path) -> Case:
    folder, number, data = made
    return Case(worlds.World(worlds.copy(folder, tmp_path / "data"), at=worlds.AT + HOUR), tmp_path, number, data)


def test_by_the_zip_and_the_root_alone_the_paper_has_its_verdict(case: Case) -> None:
    judged = case.judge()
    assert (judged.verdict.code, judged.verdict.number) == (Code.VALID, case.number)
    assert (judged.trust_list, judged.record_as_of, judged.status_as_of) == (1, case.world.at, case.world.at)
    assert judged.log_size == 2
    passed = {check.id for check in judged.verdict.checks if check.state == "passed"}
    assert {"record", "log-issued-proof", "standing"} <= passed
    vins = [vehicle["vin"] for vehicle in worlds.sample(worlds.KAZAKHSTAN)["vehicles"]]
    assert case.judge(vins=tuple(vins), destination="KZ").verdict.code is Code.VALID
    assert case.judge(destination="UZ").verdict.code is Code.NOT_COVERED


@pytest.mark.parametrize(
    ("after", "code", "reason"),
    [
        (5 * MINUTE, Code.VALID, None),
        (3 * HOUR, Code.VALID_WITH_NOTICE, "STANDING_AS_OF"),
        (DAY, Code.VALID_WITH_NOTICE, "STANDING_AS_OF"),
        (DAY + MINUTE, Code.INDETERMINATE, "STANDING_TOO_OLD"),
        (8 * DAY, Code.INDETERMINATE, "BUNDLE_EXPIRED"),
    ],
)
def test_its_word_grows_old(case: Case, after: timedelta, code: Code, reason: str | None) -> None:
    case.world.at += after
    assert case.code() == (code, reason)


def test_what_had_ended_when_it_was_packed_stays_ended_however_old_it_is(case: Case) -> None:
    case.withdraw()
    data = case.packed_now()
    case.world.at += 20 * DAY
    assert case.code(data)[0] is Code.WITHDRAWN


def test_a_later_status_list_that_is_kept_here_is_a_later_word(case: Case) -> None:
    node = case.keep()
    case.withdraw()
    case.world.at += 2 * HOUR
    assert case.judge(node=node).verdict.code is Code.VALID_WITH_NOTICE
    case.world.services.status_lists.sign()
    node.shelf.take_status_list(case.world.services.status_lists.newest(1).token)
    assert case.judge(node=node).verdict.code is Code.WITHDRAWN


def test_a_later_list_that_still_says_in_force_makes_the_word_young_again(case: Case) -> None:
    node = case.keep()
    case.world.at += 2 * DAY
    assert case.judge(node=node).verdict.reason == "STANDING_TOO_OLD"
    case.world.services.status_lists.sign()
    node.shelf.take_status_list(case.world.services.status_lists.newest(1).token)
    assert case.judge(node=node).verdict.code is Code.VALID


def test_a_kept_offline_bundle_that_is_younger_is_the_later_word(case: Case) -> None:
    case.world.at += HOUR
    case.withdraw()
    assert case.judge(node=case.keep()).verdict.code is Code.WITHDRAWN


def test_an_altered_pdf_in_it_is_refused_by_its_receipt_and_altered_without(case: Case) -> None:
    pdf = case.files()[f"{case.number}.pdf"]
    spoilt = pdf[:5000] + bytes([pdf[5000] ^ 1]) + pdf[5001:]
    changes = {f"{case.number}.pdf": spoilt}
    with pytest.raises(BundleRefused, match="another file than the PDF"):
        case.judge(case.but(**changes))
    assert case.code(case.but(**changes, receipt_jwt=None))[0] is Code.ALTERED


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (("receipt_jwt",), Code.VALID),
        (("log_proof_json", "checkpoint_txt"), Code.VALID),
        (("status_list_jwt",), Code.VALID),
        (("confirmation_json",), Code.VALID),
        (("record_jwt", "status_list_jwt"), Code.INDETERMINATE),
    ],
)
def test_what_is_left_out_proves_nothing_and_forges_nothing(case: Case, missing: tuple[str, ...], code: Code) -> None:
    assert case.code(case.but(**dict.fromkeys(missing)))[0] is code


def test_without_a_trust_list_or_a_pdf_it_is_no_evidence(case: Case) -> None:
    for changes in ({"trust_list_jws": None}, {f"{case.number}.pdf": None}):
        with pytest.raises(BundleRefused, match="one of each"):
            case.judge(case.but(**changes))


def test_a_root_that_is_not_pinned_counts_for_nothing(case: Case, tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="is not pinned here"):
        case.node().evidence.file(case.data, Asked(), pinned=())


def test_a_production_verifier_takes_no_test_evidence(case: Case) -> None:
    far = case.world.settings.model_copy(update={"mode": "production"})
    node = wire_offline(far, folder=case.folder / "far", clock=lambda: case.world.at, judge=validate.validate)
    with pytest.raises(BundleRefused, match="production mode"):
        node.evidence.file(case.data, Asked(), pinned=(case.root,))


def test_an_older_trust_list_gives_way_to_the_one_that_is_kept(case: Case) -> None:
    case.world.at += HOUR
    at = case.world.at
    revoked = {
        "state": SealState.REVOKED,
        "state_since": at,
        "revoked_at": at,
        "reason": "stolen",
        "compromised_from": at,
    }

    def change(entry: TrustEntry) -> TrustEntry:
        is_his = entry.purpose is Purpose.PDF_SEAL
        return entry.model_copy(update=revoked | {"compromised_from": worlds.AT}) if is_his else entry

    assert case.judge().verdict.code is Code.VALID_WITH_NOTICE
    case.world.publish(change)
    judged = case.judge(node=case.keep())
    assert (judged.trust_list, judged.verdict.code) == (2, Code.SEAL_REVOKED)


def test_a_bundle_whose_log_key_was_retired_since_it_was_packed_is_judged_as_before(case: Case) -> None:
    case.world.at += HOUR

    def retired(entry: TrustEntry) -> TrustEntry:
        changes = {"state": SealState.VERIFY_ONLY, "state_since": case.world.at}
        return entry.model_copy(update=changes) if entry.purpose is Purpose.LOG else entry

    case.world.publish(retired)
    judged = case.judge(node=case.keep())
    assert (judged.verdict.code, judged.trust_list, judged.log_size) == (Code.VALID, 2, 2)


def test_another_list_under_the_number_that_is_kept_is_refused(case: Case) -> None:
    node, older = case.keep(), case.world.settings.trust_list_path.read_bytes()
    case.world.publish(sequence=1, previous_digest=None, forget=True)
    other = case.world.settings.trust_list_path.read_bytes()
    assert older != other
    with pytest.raises(BundleRefused, match="is not the one that is kept"):
        case.judge(case.but(trust_list_jws=other), node=node)


def another(case: Case) -> dict[str, bytes]:
    """The files of another paper's bundle, of the same register and instant."""
    issued = case.world.issue(worlds.fresh(worlds.KAZAKHSTAN, 1))
    case.world.services.status_lists.sign()
    case.world.services.sequencing.run()
    data = case.world.services.evidence.bundle(issued.number, manufacturer=worlds.YUNZHOU)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_no_part_of_another_papers_bundle_counts_for_this_one(case: Case) -> None:
    other = another(case)
    for name, says in (
        ("record.jwt", "is about"),
        ("receipt.jwt", "another file"),
        ("confirmation.json", "is attached"),
    ):
        with pytest.raises(BundleRefused, match=says):
            case.judge(pack(case.files() | {name: other[name]}))
    assert case.code(pack(case.files() | {"log-proof.json": other["log-proof.json"]})) == (
        Code.INDETERMINATE,
        "LOG_PROOF_WRONG",
    )
    swapped = pack(case.files() | {"README.en.txt": other["README.en.txt"]})
    assert case.code(swapped)[0] is Code.VALID


def test_another_pdf_under_this_papers_name_is_not_covered_by_its_record(case: Case) -> None:
    other = another(case)
    (pdf,) = (data for name, data in other.items() if name.endswith(".pdf"))
    changes = {f"{case.number}.pdf": pdf}
    found = case.code(case.but(**changes, receipt_jwt=None, confirmation_json=None))
    assert found[0] is Code.INDETERMINATE


SIGNED = ("trust-list.jws", "record.jwt", "status-list.jwt", "receipt.jwt", "checkpoint.txt")


@pytest.mark.parametrize("name", SIGNED)
def test_a_changed_byte_in_anything_signed_refuses_the_whole(case: Case, name: str) -> None:
    data = case.files()[name]
    for place in (len(data) // 3, 2 * len(data) // 3, len(data) - 3):
        other = bytes([data[place] ^ 1])
        with pytest.raises(BundleRefused):
            case.judge(pack(case.files() | {name: data[:place] + other + data[place + 1 :]}))


def test_a_changed_byte_in_the_proof_is_never_without_a_word(case: Case) -> None:
    data = case.files()["log-proof.json"]
    for place in range(20, len(data), len(data) // 9):
        spoilt = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        code, _ = case.code(pack(case.files() | {"log-proof.json": spoilt}))
        assert code in (Code.INDETERMINATE, Code.VALID_WITH_NOTICE)


def test_a_token_without_signature_or_by_another_key_is_refused(case: Case) -> None:
    services, token = case.world.services, case.files()["record.jwt"]
    payload = base64.urlsafe_b64decode(token.split(b".")[1] + b"==")
    bare = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=") + b"." + token.split(b".")[1] + b"."
    wrong = services.service_keys.open(Purpose.STATUS).sign(payload, typ="signer-record+jwt")
    mistyped = services.service_keys.open(Purpose.BUNDLE).sign(payload, typ="signer-bundle+jws")
    for other in (bare, wrong, mistyped):
        with pytest.raises(BundleRefused):
            case.judge(case.but(record_jwt=other))


def test_a_status_list_of_another_host_or_number_is_refused(case: Case) -> None:
    key = case.world.services.service_keys.open(Purpose.STATUS)
    for uri in ("https://evil.example/.well-known/status/1", "http://127.0.0.1:8000/.well-known/status/2"):
        token = status_list.sign(uri, plain.blank(), key, at=case.world.at)
        with pytest.raises(BundleRefused, match=r"is not a list of|in which the record has no place"):
            case.judge(case.but(status_list_jwt=token))


def test_a_list_that_says_ended_outweighs_a_record_that_says_in_force(case: Case) -> None:
    key = case.world.services.service_keys.open(Purpose.STATUS)
    places = bytearray([Status.ENDED]) * plain.SIZE
    token = status_list.sign("http://127.0.0.1:8000/.well-known/status/1", places, key, at=case.world.at)
    assert case.code(case.but(status_list_jwt=token))[0] is Code.WITHDRAWN


def deflated(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def stored(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        warnings.simplefilter("ignore", UserWarning)  # of a name that stands twice
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


def overlapping(data: bytes) -> bytes:
    """Two entries of the directory that point at one file."""
    at = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", at + 4)
    (offset,) = struct.unpack("<I", data[at + 42 : at + 46])
    return data[: second + 42] + struct.pack("<I", offset) + data[second + 46 :]


def hostile(case: Case) -> dict[str, bytes]:
    files, data = case.files(), case.data
    end = data.rindex(b"PK\x05\x06")
    return {
        "compressed": deflated(files),
        "a bomb": deflated({"README.en.txt": bytes(200_000_000)}),
        "a longer file than it says": data[: end + 12] + struct.pack("<I", 0xFFFFFF) + data[end + 16 :],
        "something before": b"PK\x03\x04" + b"\0" * 30 + data,
        "something after": data + b"x",
        "a comment": data[:-2] + b"\x01\x00x",
        "cut off": data[:-30],
        "no directory": data[:end],
        "overlapping": overlapping(data),
        "a path": stored(("../../etc/passwd", b"x"), *files.items()),
        "an absolute path": stored(("/etc/passwd", b"x"), *files.items()),
        "a name that is not ours": pack(files | {"extra.txt": b"x"}),
        "a ZIP in the ZIP": pack(files | {"inner.zip": data}),
        "a name of many lines": stored(("README.en.txt\n../x", b"x"), *files.items()),
        "a name twice": stored(*files.items(), ("record.jwt", files["record.jwt"])),
        "two PDFs": pack(files | {"00000-00000-0000.pdf": b"%PDF-"}),
        "a PDF without a number": pack({name: data for name, data in files.items() if not name.endswith(".pdf")})
        and pack({name.replace(str(case.number), "UUUUU-UUUUU-UUUU"): data for name, data in files.items()}),
        "too many files": stored(*((f"README.{a}{b}.txt", b"") for a in "abcdefghij" for b in "abc")),
        "another time": stored(*files.items()).replace(b"\x00\x00\x21\x00", b"\x00\x00\x22\x00"),
        "empty": b"PK\x05\x06" + bytes(18),
        "nothing but a signature": b"PK\x03\x04",
    }


def test_every_hostile_zip_is_refused_before_anything_in_it_is_read(case: Case) -> None:
    for name, data in hostile(case).items():
        try:
            found = evidence_opening.unpack(data)
        except BundleRefused:
            continue
        pytest.fail(f"{name}: {sorted(found.parts)}")


@pytest.mark.parametrize("is_64", [False, True])
def test_a_directory_of_a_million_lines_is_refused_before_a_reader_makes_an_object_of_each(
    is_64: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 21 if is_64 else 40_000
    line = b"PK\x01\x02" + struct.pack("<6H3L5H2L", 20, 20, 0, 0, 0, 0x21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    start, lines = b"PK\x03\x04" + bytes(27), line * count
    told = struct.pack("<4H2LH", 0, 0, 1, 1, 47 if is_64 else len(lines), len(start), 0)
    at_64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(lines), len(start))
    found_64 = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(start) + len(lines), 1)
    read: list[str] = []
    monkeypatch.setattr(zipfile, "ZipInfo", lambda name, *_: read.append(name))
    with pytest.raises(BundleRefused, match=r"directory is too long|does not end"):
        evidence_opening.unpack(start + lines + (at_64 + found_64 if is_64 else b"") + b"PK\x05\x06" + told)
    assert read == []


def test_one_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(BundleRefused, match="at most"):
        evidence_opening.unpack(b"PK\x03\x04" + bytes(evidence_opening.MOST_BYTES))


def test_any_changed_byte_of_the_frame_is_refused(case: Case) -> None:
    """Of what is neither a file's content nor covered by its checksum: headers, directory, end."""
    frame = (*range(len(case.data) - 900, len(case.data)), *range(60))
    for place in frame[::7]:
        spoilt = case.data[:place] + bytes([case.data[place] ^ 4]) + case.data[place + 1 :]
        with pytest.raises(BundleRefused):
            evidence_opening.unpack(spoilt)


def test_the_command_verifies_a_bundle_offline(
    live_world: worlds.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setenv("SIGNER_DATA_DIR", str(tmp_path / "nothing-here"))
        monkeypatch.setattr("sys.argv", ["signer", *words])
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0), "".join(capsys.readouterr())
        return 0, "".join(capsys.readouterr())

    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    issued = live_world.issue(worlds.sample(worlds.KAZAKHSTAN, today=live_world.at.date()))
    live_world.services.status_lists.sign()
    live_world.services.sequencing.run()
    bundle, root = tmp_path / "evidence.zip", str(live_world.settings.trust_root_path)
    bundle.write_bytes(live_world.services.evidence.bundle(issued.number, manufacturer=worlds.YUNZHOU))
    capsys.readouterr()
    code, told = run("verify", "--offline", "--allow-test", "--root", root, str(bundle))
    assert (code, told.split()[1]) == (0, "VALID")
    assert "evidence bundle: trust list 1, record as of " in told
    code, told = run("verify", "--offline", "--json", "--root", root, str(bundle))
    assert (code, json.loads(told)["code"], "log of " in json.loads(told)["evidence"]) == (3, "VALID", True)
    assert run("verify", "--offline", str(bundle))[0] == 64
    bundle.write_bytes(bundle.read_bytes()[:-1])
    code, told = run("verify", "--offline", "--root", root, str(bundle))
    assert (code, "bundle-refused" in told) == (64, True)
