"""Status lists without a network: they come with a bundle or by themselves, and none ever goes back to an older one."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds

from signer.cli import main
from signer.domain import bundle as lines
from signer.domain import status_list as plain
from signer.domain.status_list import Doubt, Said, Status
from signer.domain.trust import Purpose, SealState
from signer.domain.verdict import Code
from signer.errors import BundleRefused, InvalidInput
from signer.register import endings, status_lists
from signer.register.scope import Scope
from signer.seal import bundle as signed
from signer.seal import status_list, trust, validate
from signer.wiring import wire_offline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signer.domain.number import Number
    from signer.domain.trust import TrustEntry
    from signer.services.shelf import Issuer
    from signer.wiring import Offline

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BASE = "http://127.0.0.1:8000"


@pytest.fixture
def database() -> str:
    """Where the register is makes no difference to who cannot ask it."""
    return "sqlite"


@dataclass
class Post:
    """A register with one paper whose list was signed, and a verifier who gets what is sent."""

    world: worlds.World
    folder: Path
    pdf: bytes
    number: Number
    index: int

    def token(self) -> bytes:
        self.world.services.status_lists.sign()
        return self.world.services.status_lists.newest(1).token

    def bundle(self, **more: Any) -> bytes:
        path = self.folder / "made.bundle"
        self.world.services.bundling.make(path, **more)
        return path.read_bytes()

    def node(self, *bundles: bytes) -> Offline:
        found = wire_offline(
            self.world.settings, folder=self.folder / "node", clock=lambda: self.world.at, judge=validate.validate
        )
        root = trust.read_root(self.world.settings.trust_root_path.read_bytes())
        for each in bundles:
            found.shelf.take(io.BytesIO(each), pinned=(root,))
        return found

    def withdraw(self) -> None:
        with self.world.services.database.write() as tx:
            everything = Scope.everything("a test withdraws")
            endings.withdraw(tx, self.number, scope=everything, vins=(), reason="error", at=self.world.at)

    def said(self, node: Offline, *, index: int | None = None, number: int = 1, code_at: Any = worlds.AT) -> Said:
        found = only(node).status_of(number, self.index if index is None else index, code_at=code_at, at=self.world.at)
        return replace(found, as_of=None)

    def signed_by_us(self, uri: str, at: Any) -> bytes:
        key = self.world.services.service_keys.open(Purpose.STATUS)
        return status_list.sign(uri, plain.blank(64), key, at=at)


def only(node: Offline) -> Issuer:
    (issuer,) = node.shelf.issuers()
    return issuer


@pytest.fixture(scope="module")
def made(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, Number]:
    folder = tmp_path_factory.mktemp("lists")
    world = worlds.World(worlds.copy(template_folder, folder / "data"))
    issued = world.issue(worlds.sample(worlds.KAZAKHSTAN))
    world.at += HOUR
    world.services.status_lists.sign()
    world.services.database.close()
    return folder / "data", issued.pdf, issued.number


@pytest.fixture
def post(made: tuple[Path, bytes, Number], tmp_path: Path) -> Post:
    folder, pdf, number = made
    world = worlds.World(worlds.copy(folder, tmp_path / "data"), at=worlds.AT + HOUR)
    with world.services.database.read() as tx:
        found = status_lists.place(tx, number)
    assert found is not None
    return Post(world, tmp_path, pdf, number, found[1])


def test_a_bundle_carries_the_lists_in_its_second_form(post: Post) -> None:
    data = post.bundle()
    header = json.loads(data.split(b"\n", 1)[0])
    assert (header["schema"], header["counts"]["status_lists"]) == ("signer.bundle/2", 1)
    node = post.node(data)
    assert post.said(node) == Said(status=Status.IN_FORCE)
    assert node.verifying.file(post.pdf).code is Code.VALID


def test_a_bundle_without_lists_is_of_the_first_form_and_nothing_is_said(post: Post) -> None:
    post.world.change("UPDATE status_lists SET token = NULL, signed_at = NULL")
    data = post.bundle()
    header = json.loads(data.split(b"\n", 1)[0])
    assert (header["schema"], "status_lists" in header["counts"]) == ("signer.bundle/1", False)
    assert post.said(post.node(data)) == Said(doubt=Doubt.MISSING)


def test_a_delta_brings_the_newest_lists_too(post: Post) -> None:
    whole, begun = post.bundle(), post.world.at
    post.withdraw()
    post.world.at += HOUR
    post.token()
    node = post.node(whole, post.bundle(since=begun))
    assert post.said(node) == Said(status=Status.ENDED)


def test_a_list_that_came_by_itself_is_not_put_back_by_a_bundle_with_an_older_one(post: Post) -> None:
    before, begun = post.bundle(), post.world.at
    post.withdraw()
    post.world.at += HOUR
    late = post.token()
    post.world.change("UPDATE status_lists SET signed_at = signed_at")
    node = post.node(before)
    assert post.said(node) == Said(status=Status.IN_FORCE)
    assert node.shelf.take_status_list(late).list.at == post.world.at
    with post.world.services.database.write() as tx:
        tx.exec_driver_sql("DELETE FROM status_lists")
        status_lists.keep(tx, 1, post.signed_by_us(f"{BASE}/.well-known/status/1", begun), at=begun)
    assert post.said(post.node(post.bundle())) == Said(status=Status.ENDED)


def test_an_older_list_is_refused_by_itself(post: Post) -> None:
    early = post.token()
    post.world.at += HOUR
    late, node = post.token(), post.node(post.bundle())
    with pytest.raises(InvalidInput, match="a later one is kept"):
        node.shelf.take_status_list(early)
    assert node.shelf.take_status_list(late).number == 1


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("https://evil.example/.well-known/status/1", "is not a list of"),
        (f"{BASE}/.well-known/status/0", "is not a list of"),
        (f"{BASE}/lists/1", "is not a list of"),
    ],
)
def test_a_list_of_another_place_is_refused_though_our_own_key_signed_it(post: Post, uri: str, says: str) -> None:
    node = post.node(post.bundle())
    with pytest.raises(InvalidInput, match=says):
        node.shelf.take_status_list(post.signed_by_us(uri, post.world.at + MINUTE))


def test_a_bundle_with_a_list_under_another_number_or_host_is_refused_whole(post: Post) -> None:
    for uri, number in ((f"{BASE}/.well-known/status/2", 1), ("https://evil.example/.well-known/status/1", 1)):
        forged = resigned(post, number, post.signed_by_us(uri, post.world.at))
        with pytest.raises(BundleRefused, match="status list 1"):
            post.node(forged)
    assert post.node().shelf.issuers() == ()


def resigned(post: Post, number: int, token: bytes) -> bytes:
    """A bundle signed by the register's own key with another list in it."""
    _, _, rest = post.bundle().split(b"\n", 2)
    first = json.loads(post.bundle().split(b"\n", 1)[0])
    *kept, _ = rest.splitlines()
    word = lines.encode(lines.ListWord(list=number, token=token.decode()))
    body = b"".join(line + b"\n" for line in (*kept, word))
    plain_header = first | {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    header = lines.Header.model_validate_json(json.dumps(plain_header))
    return signed.sign(header, post.world.services.service_keys.open(Purpose.BUNDLE)) + body


def test_a_key_that_is_revoked_later_vouches_for_nothing_that_is_kept(post: Post) -> None:
    node = post.node(post.bundle())
    assert post.said(node) == Said(status=Status.IN_FORCE)
    post.world.at += HOUR
    at = post.world.at
    revoked = {"state": SealState.REVOKED, "state_since": at, "revoked_at": at, "reason": "stolen"}
    post.world.publish(_only_status(lambda entry: entry.model_copy(update=revoked)))
    node = post.node(post.bundle())
    assert post.said(node) == Said(doubt=Doubt.MISSING)


def _only_status(change: Callable[[TrustEntry], TrustEntry]) -> Callable[[TrustEntry], TrustEntry]:
    return lambda entry: change(entry) if entry.purpose is Purpose.STATUS else entry


def test_what_is_said_of_a_code_depends_on_its_time_its_place_and_the_lists_age(post: Post) -> None:
    node = post.node(post.bundle())
    assert post.said(node, code_at=post.world.at + MINUTE) == Said(doubt=Doubt.OLDER)
    assert post.said(node, index=200_000) == Said(doubt=Doubt.OUT_OF_RANGE)
    assert post.said(node, number=2) == Said(doubt=Doubt.MISSING)
    assert post.said(node, index=(post.index + 1) % 131_072) == Said(status=Status.NOT_NOW)
    post.world.at += DAY + MINUTE
    assert post.said(node) == Said(status=Status.IN_FORCE, doubt=Doubt.TOO_OLD)
    post.world.at += 6 * DAY
    assert post.said(node) == Said(status=Status.IN_FORCE, doubt=Doubt.EXPIRED)


def test_a_damaged_list_says_nothing(post: Post) -> None:
    node = post.node(post.bundle())
    (path,) = (post.folder / "node").glob("*.status/1.jwt")
    path.write_bytes(path.read_bytes()[:-4] + b"AAAA")
    assert post.said(node) == Said(doubt=Doubt.MISSING)


def test_a_verifier_without_a_bundle_takes_no_list(post: Post) -> None:
    with pytest.raises(InvalidInput, match="no offline bundle is here"):
        post.node().shelf.take_status_list(post.token())


def test_the_command_imports_a_list_and_refuses_an_older_one(
    post: Post, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"whole": post.bundle(), "early": post.token()}
    post.world.at += HOUR
    files["late"] = post.token()
    for name, data in files.items():
        (post.folder / name).write_bytes(data)
    for name, value in {"SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(post.folder / "cli")}.items():
        monkeypatch.setenv(name, value)
    root = str(post.world.settings.trust_root_path)
    assert run(monkeypatch, "import-bundle", str(post.folder / "whole"), "--root", root) == 0
    assert run(monkeypatch, "import-status", str(post.folder / "late")) == 0
    assert f"{BASE}/.well-known/status/1, as of " in capsys.readouterr().out
    assert run(monkeypatch, "import-status", str(post.folder / "early")) != 0
    assert "a later one is kept" in capsys.readouterr().err


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["signer", *arguments])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
