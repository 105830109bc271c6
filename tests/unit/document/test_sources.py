"""Typst reads the template from a private copy of what was held to the manifest, or is handed it: the same page."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from signer.document import sources
from signer.document.render import Renderer
from signer.resources import templates_dir

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sources.Sources:
    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path))
    made = sources.Sources(os.getpid())
    monkeypatch.setattr(sources, "of_process", lambda _process: made)
    return made


def _page(renderer: Renderer, samples: ModuleType) -> bytes:
    confirmation, encoded = samples.confirmation(vehicles=1)
    return renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL)


def _fresh(renderer: Renderer) -> Renderer:
    return Renderer(templates_dir(), symbol=renderer._symbol)


def test_the_page_is_the_same_from_the_copy_without_it_and_after_it_was_lost(
    renderer: Renderer, samples: ModuleType, copies: sources.Sources
) -> None:
    made = _fresh(renderer)
    from_copy = _page(made, samples)
    assert copies.root is not None
    assert stat.S_IMODE(copies.root.stat().st_mode) == stat.S_IRWXU
    (kept,) = copies.root.iterdir()
    template = made._template("1")
    files = {path.replace("main.typ", "page.typ"): content for path, content in template.files}
    assert {path: (kept / path).read_bytes() for path in files} == files
    (kept / "style.typ").unlink()
    assert _page(made, samples) == from_copy
    shutil.rmtree(copies.root)
    assert _page(made, samples) == from_copy
    copies.root.mkdir()
    assert _page(made, samples) == from_copy
    assert list(copies.root.iterdir()) == []
    copies.root = None
    assert _page(_fresh(renderer), samples) == from_copy


def test_what_is_done_to_the_folder_of_the_templates_later_does_not_reach_a_page(
    tmp_path: Path, renderer: Renderer, samples: ModuleType, copies: sources.Sources
) -> None:
    shutil.copytree(templates_dir(), tmp_path / "templates")
    made = Renderer(tmp_path / "templates", symbol=renderer._symbol)
    before = _page(made, samples)
    for path in (tmp_path / "templates").rglob("style.typ"):
        path.write_text("#panic()")
    assert _page(made, samples) == before
    folder, handed = copies.of(made._template("1"))
    assert folder is not None
    assert handed.keys() == {"main.typ"}


def test_where_nothing_can_be_written_the_files_are_handed_over(
    monkeypatch: pytest.MonkeyPatch, renderer: Renderer
) -> None:
    monkeypatch.setattr(sources.tempfile, "tempdir", os.devnull)
    made = sources.Sources(os.getpid())
    template = renderer._template("1")
    assert made.root is None
    assert made.of(template)[0] is None
    assert len(made.of(template)[1]) == 1 + len(template.files)


def test_a_forked_process_takes_nothing_with_it(copies: sources.Sources) -> None:
    assert copies.root is not None
    sources._remove(copies.root, os.getpid() + 1)
    assert copies.root.is_dir()
    sources._remove(copies.root, os.getpid())
    assert not copies.root.exists()
