"""The published vectors of verification are answered as published, by us and through the neutral runner."""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signer.domain.verdict import Code
from signer.seal.validate import validate

if TYPE_CHECKING:
    from types import ModuleType

VECTORS = Path(__file__).parents[2] / "vectors"
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


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_answered_as_published(name: str) -> None:
    case = CASES[name]
    question = {"at": case["at"], "mode": case["mode"], **case["question"]}
    lists = {"bundle": runner.bundle_of(case, WHOLE), "root": runner.root_of(WHOLE).encode()}
    answer = script("verify_with_signer").answer(runner.file_of(case), question, **lists, judge=validate)
    assert runner.differing(case["expected"], answer) == []


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
