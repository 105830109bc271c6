"""The reference pages, held against the code that they are written from."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from signer.domain.verdict import Code
from signer.errors import SignerError
from signer.register import drafts, tables, triggers
from signer.services import batching, exporters, importing, limits, lookups, mailing, maintain, work

if TYPE_CHECKING:
    from datetime import timedelta
    from types import ModuleType

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"


def _script(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


reference_pages = _script("reference_pages")


@pytest.mark.parametrize("name", ["cli.md", "settings.md", "errors.md", "verdicts.md"])
def test_the_committed_page_is_the_one_that_the_code_gives(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == reference_pages.pages()[name], "run `make docs`"


def test_every_setting_has_its_meaning() -> None:
    rows = re.findall(r"^\| `SIGNER_[A-Z_]+` \|.*\| (.*) \|$", reference_pages.settings_page(), re.MULTILINE)
    assert rows
    assert all(rows)


def test_every_verdict_code_is_on_its_page_in_order_of_precedence() -> None:
    section = reference_pages.verdicts_page().partition("## Codes")[2].partition("## Checks")[0]
    assert re.findall(r"^\| `([A-Z_]+)`", section, re.MULTILINE) == [code.value for code in Code]


def _codes(cls: type[SignerError]) -> list[str]:
    ours = [child for child in cls.__subclasses__() if child.__module__.startswith("signer.")]
    own = [cls.code] if "code" in vars(cls) else []
    return [*own, *(code for child in ours for code in _codes(child))]


def test_every_error_has_a_code_of_its_own() -> None:
    page = reference_pages.errors_page()
    codes = _codes(SignerError)
    assert len(codes) == len(set(codes))
    assert all(f"`{code}`" in page for code in codes)


def _declared() -> set[str]:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = whole["project"]
    groups = (*project["optional-dependencies"].values(), *whole["dependency-groups"].values())
    named = [*project["dependencies"], *(name for group in groups for name in group)]
    return {re.match(r"[A-Za-z0-9._-]+", name)[0].lower() for name in named}  # type: ignore[index]


def _given() -> list[str]:
    page = (ROOT / "docs" / "adr" / "0002-dependencies.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE)


def test_every_dependency_has_its_reason_once() -> None:
    assert len(_given()) == len(set(_given()))
    assert sorted(_declared() - set(_given())) == []


def test_every_reason_is_that_of_a_dependency() -> None:
    assert sorted(set(_given()) - _declared()) == []


DELETED = (REFERENCE / "what-can-be-deleted.md").read_text(encoding="utf-8")


def test_every_table_of_the_register_says_once_whether_it_may_be_deleted() -> None:
    rows = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", DELETED.partition("## By hand")[0], re.MULTILINE)
    named = Counter(name for row in rows for name in re.findall(r"[a-z_]+", row))
    assert sorted(named.elements()) == sorted(tables.metadata.tables)


def test_the_tables_that_refuse_deletion_are_those_that_are_guarded() -> None:
    section = DELETED.partition("## Never, and the database refuses")[2].partition("\n## ")[0]
    guarded = {guard.table for guard in triggers.guards() if guard.verb == "DELETE" and not guard.condition}
    assert set(re.findall(r"`([a-z_]+)`", re.sub(r"\|[^|]*\|$", "|", section, flags=re.MULTILINE))) == guarded


def test_what_is_forgotten_is_kept_as_long_as_the_page_says() -> None:
    def says(words: str, table: str) -> bool:
        return re.search(rf"^\| [^|]*`{table}`[^|]*\| [^|]*{re.escape(words)}", DELETED, re.MULTILINE) is not None

    assert says(f"after {mailing.KEPT.days} days", "mails") or says(f"{mailing.KEPT.days} days after", "mails")
    assert says(f"after {maintain.DELIVERIES_KEPT.days} days", "deliveries")
    assert says(f"{work.DONE_KEPT.days} days after they were done, {work.FAILED_KEPT.days} days", "jobs")
    assert says(f"the file after {importing.FILE_KEPT.days} days", "imports")
    assert says(f"the file, {batching.FILE_KEPT.days} days", "batch_files")
    assert says(f"after {_hours(limits.SPAN)} hours", "sign_in_failures")
    assert says(f"after {_hours(lookups.NUMBER_SPAN)} hours", "lookup_failures")
    assert says(f"{_hours(exporters.GOOD_FOR)} hours after", "sign_ups")
    assert says(f"newest {drafts.KEPT_VERSIONS} versions", "draft_versions")


def _hours(time: timedelta) -> int:
    return int(time.total_seconds() // 3600)
