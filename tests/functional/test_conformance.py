"""The published vectors of verification: by command line, by API and by the neutral runner, answered as published."""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import re
import shutil
import sys
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from apps import create_app
from two_paths import Score

from signer import settings as configured
from signer import wiring
from signer.cli import verifying
from signer.cli.bundling import take_all
from signer.domain.verdict import EXITS, Code
from signer.seal import trust as trust_lists
from signer.seal.validate import validate

if TYPE_CHECKING:
    from types import ModuleType

    from signer.domain.evidence import SealFacts
    from signer.domain.trust import TrustList

VECTORS = Path(__file__).parents[1] / "vectors"
MOST_BYTES = 2_000_000
OF_NO_FILE = {Code.CODE_INVALID, Code.NOT_ON_RECORD, Code.ON_RECORD, Code.PAPER_GENUINE, Code.COVERED}
"""Codes that answer a look-up or a printed code, never a file."""
DOUBTS = {
    *("TRY_LATER", "SUSPENDED", "SEAL_SUSPENDED", "VIN_CONFLICT", "PARTLY_WITHDRAWN", "SCHEMA_UNKNOWN"),
    *("TRUST_LIST_STALE", "TRUST_LIST_OLDER_THAN_SEAL", "REGISTER_INCOMPLETE", "STANDING_INCOMPLETE"),
    *("NOT_IN_BUNDLE_YET", "STANDING_TOO_OLD", "BUNDLE_EXPIRED", "BUNDLE_FROM_FUTURE", "CONTENT_NOT_KNOWN"),
    *("CHAIN", "NOT_PROVEN_IN_TIME", "NO_REVOCATION_DATA", "TIME_IN_FUTURE"),
}


@cache
def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, VECTORS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runner = script("run_verify")
WHOLE: Any = runner.load()
CASES: Any = {case["name"]: case for case in WHOLE["cases"]}


@cache
def sub_indications() -> dict[str, set[str]]:
    """Return check -> the sub-indications that the page on EN 319 102-1 allows it."""
    page = (VECTORS.parents[1] / "docs" / "reference" / "en-319-102-1.md").read_text(encoding="utf-8")
    text = page.partition("## Checks\n")[2].partition("\n## ")[0]
    cells = {
        row[0]: row[2] for row in (re.split(r" ?\| ?", line[2:]) for line in text.splitlines() if line[:3] == "| `")
    }
    found: dict[str, set[str]] = {}
    for which, cell in cells.items():
        others = [found[one] for one in re.findall(r"`([a-z-]+)`", cell)]
        found[which.strip("`")] = set(re.findall(r"`([A-Z_]+)`", cell)).union(*others)
    return found


@lru_cache(maxsize=4)
def judge(data: bytes, trust: TrustList, at: datetime, *, is_known: bool = False) -> SealFacts:
    """Judge a file once for all who ask about it, and hold both paths of verification against one another."""
    del is_known
    Score().compare(data, trust, at, "a vector")
    return validate(data, trust, at)


class Entrances:
    """Command line and API of a verifier without register, at a time of the case's choosing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = datetime.now(UTC)
        self.wire = partial(wiring.wire_offline, clock=lambda: self.at, judge=judge)
        self.houses: dict[str, tuple[wiring.Offline, Any]] = {}

    def settings(self, mode: str) -> dict[str, str]:
        return {
            "SIGNER_MODE": mode,
            "SIGNER_DATA_DIR": str(self.folder / mode),
            "SIGNER_BASE_URL": "https://a.example.org",
        }

    def api(self, mode: str, bundle: Path, root: Path) -> Any:
        """Return a client of the web application over this bundle alone."""
        if mode not in self.houses:
            house = self.wire(configured.load(self.settings(mode)), folder=self.folder / f"{mode}-shelf")
            self.houses[mode] = house, create_app(house, clock=lambda: self.at).test_client()
        house, client = self.houses[mode]
        shutil.rmtree(self.folder / f"{mode}-shelf", ignore_errors=True)
        take_all(house.shelf, (bundle,), pinned=(trust_lists.read_root(root.read_bytes()),), tell=False)
        return client


@pytest.fixture(scope="module")
def entrances(tmp_path_factory: pytest.TempPathFactory) -> Entrances:
    return Entrances(tmp_path_factory.mktemp("vectors"))


@pytest.mark.parametrize("name", CASES)
def test_command_line_and_api_answer_a_case_as_published_and_alike(
    name: str,
    entrances: Entrances,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case, mode = CASES[name], CASES[name]["mode"]
    file, _ = runner.write(case, WHOLE, tmp_path)
    entrances.at = datetime.fromisoformat(case["at"])
    for key, value in entrances.settings(mode).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(verifying.wiring, "wire_offline", entrances.wire)
    given = {"bundle": str(tmp_path / "bundle.jsonl"), "root": str(tmp_path / "root.pem")}
    asked = {**{key: value for key, value in case["question"].items() if key != "vins"}, **given}
    options = [*chain.from_iterable((f"--{key.replace('_', '-')}", value) for key, value in asked.items())]
    options += [*chain.from_iterable(("--vin", vin) for vin in case["question"].get("vins", ()))]
    with pytest.raises(SystemExit) as ended:
        verifying.verify.main([str(file), "--offline", "--json", "--allow-test", "--lang", "en", *options])
    told = json.loads(capsys.readouterr().out)
    assert runner.differing(case["expected"], told) == []
    words = {(check["id"], check["sub_indication"]) for check in told["checks"] if check["sub_indication"]}
    assert [(which, word) for which, word in words if word not in sub_indications()[which]] == []
    assert ended.value.code == EXITS[Code(told["code"]).colour]
    if name == "too-large":
        return  # the API answers 413 and reads no further: tests/unit/web
    client = entrances.api(mode, Path(given["bundle"]), Path(given["root"]))
    fields = {**case["question"], "vin": case["question"].get("vins", [])}
    fields.pop("vins", None)
    data = {"file": (io.BytesIO(file.read_bytes()), "a.pdf"), **fields}
    response = client.post("/api/v1/verify", data=data, headers={"Accept-Language": "en"})
    assert response.status_code == 200
    del told["file"]
    assert response.get_json() == told


def test_the_cases_cover_every_code_that_a_file_can_have() -> None:
    codes = {case["expected"]["code"] for case in CASES.values()}
    assert codes == {code.value for code in Code if code not in OF_NO_FILE}
    assert len(CASES) == len(WHOLE["cases"])
    doubts = {case["expected"]["reason"] for case in CASES.values() if case["expected"]["code"] == "INDETERMINATE"}
    assert doubts == DOUBTS


def test_all_vectors_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in VECTORS.rglob("*") if "__pycache__" not in path.parts) < MOST_BYTES
    published = {path.name for path in (VECTORS / "verify").iterdir()} - {"cases.json"}
    assert published == {case["file"] for case in CASES.values()}
    assert {line["list"] for case in CASES.values() for line in case["bundle"] if isinstance(line, dict)} == set(
        WHOLE["lists"]
    )


def test_no_private_key_is_published() -> None:
    for path in (VECTORS / "verify").iterdir():
        assert b"PRIVATE KEY" not in path.read_bytes()


def test_the_runner_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse((VECTORS / "run_verify.py").read_text(encoding="utf-8"))
    names = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_our_own_verifier_passes_through_the_runner() -> None:
    out = io.StringIO()
    command = [sys.executable, str(VECTORS / "verify_with_signer.py")]
    assert runner.run(command, WHOLE, names=("covered",), out=out) == 0
    assert "1 cases, 1 as expected, 0 not" in out.getvalue()


def test_a_verifier_that_is_wrong_is_told_where(tmp_path: Path) -> None:
    lenient = tmp_path / "lenient.py"
    right = CASES["genuine"]["expected"]
    lenient.write_text(f"import json, sys\nprint(json.dumps(json.loads({json.dumps(json.dumps(right))})))\n")
    out = io.StringIO()
    asked = ("genuine", "withdrawn", "bit-in-a-stream")
    assert runner.run([sys.executable, "-I", "-S", str(lenient)], WHOLE, names=asked, out=out) == 2
    lines = {line.split()[0]: line for line in out.getvalue().splitlines()}
    assert lines["genuine"].split() == ["genuine", "VALID", "VALID"]
    assert "code, outcome, reason" in lines["withdrawn"]
    assert "parts.standing" in lines["withdrawn"]
    assert "seal_report.indication" in lines["bit-in-a-stream"]


@pytest.mark.parametrize(
    ("program", "says"),
    [("print('no')", "printed no JSON (exit 0)"), ("print([1])", "printed no JSON object"), ("1/0", "(exit 1)")],
)
def test_a_verifier_without_an_answer_is_told_so(program: str, says: str) -> None:
    out = io.StringIO()
    assert runner.run([sys.executable, "-I", "-S", "-c", program], WHOLE, names=("empty",), out=out) == 1
    assert says in out.getvalue()


def test_an_unknown_case_is_no_success() -> None:
    assert runner.run(["true"], WHOLE, names=("no such case",), out=io.StringIO()) == 1


def test_the_files_of_every_case_can_be_written_for_another_harness(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = CASES["withdrawn"]
    file, question = runner.write(wanted, WHOLE, tmp_path / "withdrawn")
    asked = json.loads(question.read_text(encoding="utf-8"))
    assert file.read_bytes() == runner.file_of(wanted)
    assert (asked["at"], asked["mode"], Path(asked["bundle"]).is_file()) == (wanted["at"], "test", True)
    assert runner.main(["--list"]) == 0
    assert capsys.readouterr().out.count("\n") == len(CASES)
