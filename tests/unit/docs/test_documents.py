"""The documents, held against each other and against the files that they speak of."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from signer.domain.drafting import parse_draft

ROOT = Path(__file__).parents[3]
_PLACES = ("*.md", "docs/**/*.md", "deploy/*.md", "keys.example/*.md")
DOCUMENTS = sorted({path for place in _PLACES for path in ROOT.glob(place)})
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_MACHINE = re.compile(r"(?<![A-Za-z0-9._-])/(?:(?:home|work|farm|Users)/|root/[.])")
_REGISTRY = re.compile(r"pypi\.|pythonhosted|--(extra-)?index.url[ =]|https?://\S+\.(whl|tar\.gz)", re.IGNORECASE)
_TEXT = {".md", ".py", ".toml", ".txt", ".yaml", ".yml", ".json", ".typ", ".sh", ".mako", ".cfg", ".ini", ".lock", ""}


def _tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file() and path.suffix in _TEXT]


def _slug(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return kept.strip().replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    return {_slug(heading) for heading in re.findall(r"^#{1,6} +(.+?) *$", text, re.MULTILINE)}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    broken = []
    for target in _LINK.findall(_FENCE.sub("", path.read_text(encoding="utf-8"))):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        where = (path.parent / name).resolve() if name else path
        is_there = where.exists() and where.is_relative_to(ROOT)
        if not is_there or (anchor and where.suffix == ".md" and anchor not in _anchors(where)):
            broken.append(target)
    assert not broken


def test_the_map_leads_to_every_document() -> None:
    start = ROOT / "docs" / "index.md"
    targets = {target.partition("#")[0] for target in _LINK.findall(start.read_text(encoding="utf-8"))}
    led_to = {(start.parent / target).resolve() for target in targets if target and "://" not in target}
    mapped = [path for path in DOCUMENTS if path.is_relative_to(start.parent) and path.name != "README.md"]
    mapped = [path for path in mapped if not path.name.endswith(".zh.md")]  # the English page's other half
    assert [path for path in mapped if path not in led_to and path != start] == []


_PROMISED = {58}
"""Numbers of decisions that are being written at the same time: to be taken out of here as they come in."""


def test_every_decision_has_a_number_of_its_own_and_none_is_left_out() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert len(set(numbers)) == len(numbers)
    assert set(range(1, numbers[-1])) - set(numbers) <= _PROMISED


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if _MACHINE.search(line)
    ]
    assert not found


def test_no_file_names_a_package_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _tracked()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if _REGISTRY.search(line)
    ]
    assert not found


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE))


def test_what_runs_is_what_is_tested() -> None:
    run, machines, dev = _locked("run.txt"), _locked("machines.txt"), _locked("dev.txt")
    assert run
    assert run.items() <= machines.items() <= dev.items()


_LOCKS = ["run.txt", "machines.txt", "dev.txt", "fuzz.txt", "oracles.txt", "bench.txt", "docs.txt"]


@pytest.mark.parametrize("name", _LOCKS)
def test_a_lock_holds_names_versions_and_hashes_and_nothing_else(name: str) -> None:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    form = re.compile(r"[a-z0-9-]+==[^ ;]+( ; [a-zA-Z0-9_.' =!<>()]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in lines if not form.fullmatch(line)] == []


def test_readme_shows_the_two_commands_on_its_first_screen() -> None:
    first = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:25]
    assert {"make demo", "make test"} <= {line.partition("#")[0].strip() for line in first}


def test_the_example_of_a_draft_has_the_form_of_a_draft() -> None:
    page = (ROOT / "docs" / "how-to" / "issue.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert parse_draft(example.encode()).vehicles
