"""A template version is its files, and a changed file is another version."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from signer.document import catalogue, fonts
from signer.resources import templates_dir

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = sorted(path.name for path in (templates_dir() / "document" / "confirmation").iterdir())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(templates_dir() / "document", tmp_path / "document")
    return tmp_path


@pytest.mark.parametrize("version", VERSIONS)
def test_each_manifest_is_the_one_that_its_files_deserve(version: str) -> None:
    path = templates_dir() / "document" / "confirmation" / version / "manifest.json"
    frozen = catalogue.load(templates_dir(), version).frozen
    assert path.read_bytes() == catalogue.build_manifest(templates_dir(), version, frozen=frozen)


def test_a_changed_a_missing_and_an_added_file_are_refused_by_name(copy: Path) -> None:
    folder = copy / "document" / "confirmation" / "1"
    (folder / "strings" / "ru.json").write_text("{}")
    with pytest.raises(catalogue.TemplateBroken, match=r"strings/ru\.json"):
        catalogue.load(copy, "1")
    (folder / "strings" / "ru.json").unlink()
    with pytest.raises(catalogue.TemplateBroken, match=r"strings/ru\.json"):
        catalogue.load(copy, "1")
    (folder / "a.typ").write_text("")
    with pytest.raises(catalogue.TemplateBroken, match=r"a\.typ"):
        catalogue.load(copy, "1")


def test_the_renderer_digest_changes_with_a_file_the_typst_version_and_the_fonts(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = catalogue.renderer_digest(copy, "1")
    assert before == catalogue.renderer_digest(templates_dir(), "1")
    assert len(before) == 32
    folder = copy / "document" / "confirmation" / "1"
    (folder / "main.typ").write_bytes((folder / "main.typ").read_bytes() + b"\n")
    (folder / "manifest.json").write_bytes(catalogue.build_manifest(copy, "1", frozen=False))
    assert catalogue.renderer_digest(copy, "1") != before
    monkeypatch.setattr(catalogue.metadata, "version", lambda _: "0.0.0")
    assert catalogue.renderer_digest(templates_dir(), "1") != before


def test_every_language_has_every_label() -> None:
    strings = catalogue.load(templates_dir(), "1").strings
    assert set(strings) == {"zh", "en", "ru", "es", "ar", "fr"}
    shared = {key for key in strings["zh"] if not key.startswith(("seal.alt.", "print."))}
    for language, labels in strings.items():
        assert {key for key in labels if not key.startswith(("seal.alt.", "print."))} == shared, language
        assert all(labels.values())
        assert labels["use.text"].count("{exporter}") == 1
        assert "{page}" in labels["page"]
        assert "{pages}" in labels["page"]


def test_no_arabic_label_has_vowel_marks_which_break_extraction() -> None:
    labels = catalogue.load(templates_dir(), "1").strings["ar"].values()
    assert not [label for label in labels if any("\u064b" <= char <= "\u0652" for char in label)]


def test_every_font_is_installed_under_the_family_that_is_asked_for() -> None:
    for face in (*fonts.FACES, *fonts.WEIGHTS):
        assert face.path.is_file()


def test_the_manifest_is_canonical_json_of_itself() -> None:
    template = catalogue.load(templates_dir(), "1")
    assert json.loads(template.manifest)["schema"] == "signer.template/1"
