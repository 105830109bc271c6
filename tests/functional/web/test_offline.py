"""Without register, key and network the verdicts are the register's own: `verify --offline`, `serve --verify-only`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import exhibits
import pytest
import world as worlds

from signer.domain.evidence import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from signer.domain.verdict import Verdict

_CUT = """
import sys
def cut(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        raise RuntimeError(f"{event} {args[1:]}: nothing may be asked of anybody")
sys.addaudithook(cut)
sys.argv[0] = "signer"
from signer.cli import main
main()
"""
"""The command line, in which whatever reaches for the network fails."""
_CANNOT = ("ON_RECORD", "NOT_ON_RECORD", "COVERED")
"""Exhibits of look-ups by VINs, which a bundle does not hold."""


def command(*words: str) -> list[str]:
    """The command line without network: in a namespace that has none, where the machine allows that."""
    tried = shutil.which("unshare") and subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    isolated = ["unshare", "-n"] if tried and not tried.returncode else []
    return [*isolated, sys.executable, "-c", _CUT, *words]


@pytest.fixture(scope="module")
def bundle(case: exhibits.Case, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Verdict]]:
    """A bundle of the exhibits' register, its root, and what the register itself says of each file at that time."""
    folder = tmp_path_factory.mktemp("offline")
    world = worlds.World(case.folder, at=datetime.now(UTC))
    world.services.bundling.make(folder / "all.bundle")
    shutil.copy(world.settings.trust_root_path, folder / "root.pem")
    online = {
        code: world.services.verifying.file(paper, _asked(code))
        for code, exhibit in case.exhibits.items()
        for paper in exhibit.files.values()
    }
    world.services.database.close()
    return folder / "all.bundle", folder / "root.pem", online


_ASKED: dict[str, dict[str, Any]] = {
    "NOT_COVERED": {"vins": ("L0YSA3B20T0000199",), "destination": "UZ"},
    "VALID_WITH_NOTICE": {"vins": (worlds.sample(exhibits.PARTLY)["vehicles"][0]["vin"],)},
    "PAST_END": {"applied_on": datetime(2199, 1, 1, tzinfo=UTC).date()},
}


def _asked(code: str) -> Asked:
    return Asked(**_ASKED.get(code, {}))


def _options(code: str) -> list[str]:
    given = _ASKED.get(code, {})
    words = [word for vin in given.get("vins", ()) for word in ("--vin", vin)]
    words += ["--destination", given["destination"]] if "destination" in given else []
    return words + (["--applied-on", str(given["applied_on"])] if "applied_on" in given else [])


def _environment(folder: Path) -> dict[str, str]:
    """No register, no key and no trust list: a data folder that is not there."""
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("SIGNER_")}
    return {**clean, "SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(folder / "none"), "LC_ALL": "C.UTF-8"}


def _run(folder: Path, *words: str) -> tuple[int, list[Any]]:
    made = subprocess.run(
        command(*words), env=_environment(folder), cwd=folder, capture_output=True, text=True, check=False
    )
    assert made.returncode < 64, made.stderr
    return made.returncode, [json.loads(line) for line in made.stdout.splitlines()]


def test_every_exhibit_has_the_registers_verdict_with_the_network_cut(
    case: exhibits.Case, bundle: tuple[Path, Path, dict[str, Verdict]], tmp_path: Path
) -> None:
    path, root, online = bundle
    papers = {code: tmp_path / f"{code}.pdf" for code in online}
    for code, paper in papers.items():
        paper.write_bytes(next(iter(case.exhibits[code].files.values())))
    plain = [code for code in online if code not in _ASKED]
    offline = {}
    for group in (plain, *([code] for code in _ASKED)):
        words = ["verify", "--offline", "--bundle", str(path), "--root", str(root), "--json", *_options(group[0])]
        _, found = _run(tmp_path, *words, *(str(papers[code]) for code in group))
        offline |= dict(zip(group, found, strict=True))
    for code, verdict in online.items():
        _assert_equal(code, offline[code], verdict)
    assert set(online) | set(_CANNOT) == set(case.exhibits)


def _assert_equal(code: str, told: Any, verdict: Verdict) -> None:
    parts = {name: str(state) for name, state in verdict.parts.model_dump().items()}
    if code == "NOT_REGISTERED":  # sealed a moment ago: the bundle cannot know yet
        assert (told["code"], told["reason"]) == ("INDETERMINATE", "NOT_IN_BUNDLE_YET")
        return
    if code == "UNKNOWN_SEAL":  # no trusted timestamp proves that it is older than the bundle
        parts["standing"] = "undetermined"
    assert (told["code"], told["reason"], told["parts"]) == (code, verdict.reason, parts)
    assert (told["number"], told["receipt"]) == (verdict.number, None)
    if code != "OFFICIAL_COPY":
        vins = [vin.model_dump(mode="json", exclude={"ended_at"}) for vin in verdict.coverage.vins]
        assert told["coverage"]["vins"] == vins


def test_a_bundle_that_cannot_be_believed_gives_no_verdict(
    bundle: tuple[Path, Path, dict[str, Verdict]], case: exhibits.Case, tmp_path: Path
) -> None:
    path, root, _ = bundle
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(case.kz)
    damaged = tmp_path / "damaged.bundle"
    data = path.read_bytes()
    damaged.write_bytes(data[:-300] + bytes([data[-300] ^ 1]) + data[-299:])
    words = ["verify", "--offline", "--bundle", str(damaged), "--root", str(root), "--json", str(paper)]
    made = subprocess.run(command(*words), env=_environment(tmp_path), capture_output=True, text=True, check=False)
    assert (made.returncode, made.stdout) == (64, "")
    assert "bundle-refused" in made.stderr


@pytest.fixture(scope="module")
def node(
    bundle: tuple[Path, Path, dict[str, Verdict]],
    tmp_path_factory: pytest.TempPathFactory,
    served_offline: Callable[[dict[str, str]], AbstractContextManager[str]],
) -> Iterator[str]:
    """A verify-only service: a data folder that holds one imported bundle, and nothing else in the world."""
    path, root, _ = bundle
    folder = tmp_path_factory.mktemp("node")
    environment = {**_environment(folder), "SIGNER_DATA_DIR": str(folder / "data")}
    words = ["import-bundle", str(path), "--root", str(root)]
    made = subprocess.run([sys.executable, "-c", _CUT, *words], env=environment, capture_output=True, check=True)
    assert b"complete until" in made.stdout
    assert sorted(found.name for found in (folder / "data").iterdir()) == ["bundles"]
    with served_offline(environment) as url:
        yield url


def _post(url: str, route: str, data: bytes, mime: str) -> Any:
    request = urllib.request.Request(f"{url}/api/v1/{route}", data=data, headers={"Content-Type": mime})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_a_verify_only_service_answers_files_and_says_what_it_cannot(node: str, case: exhibits.Case) -> None:
    assert _post(node, "verify", case.kz, "application/pdf")["code"] in ("VALID", "VALID_WITH_NOTICE")
    suspended = _post(node, "verify", case.ae, "application/pdf")
    assert (suspended["code"], suspended["reason"]) == ("INDETERMINATE", "SUSPENDED")
    question = {"numbers": [case.kz_number], "tail": exhibits.VINS[0][-6:]}
    looked_up = _post(node, "lookups", json.dumps(question).encode(), "application/json")
    assert (looked_up["code"], looked_up["reason"]) == ("INDETERMINATE", "REGISTER_NEEDED")
    digest = {"sha256": hashlib.sha256(case.kz).hexdigest()}
    assert _post(node, "lookups", json.dumps(digest).encode(), "application/json")["code"] == "ON_RECORD"
    with urllib.request.urlopen(f"{node}/healthz") as answer:
        assert answer.status == 200
