"""The versions of the page: their files, held to the digests of a manifest, and the digest of a renderer."""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

import rfc8785

from signer.document import fonts
from signer.errors import SignerError
from signer.resources import templates_dir

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "confirmation"
MANIFEST = "manifest.json"
SCHEMA = "signer.template/1"
FINISH = b"finish 3"
"""How `finish` writes the file; counts on when the same page gets other bytes."""


class TemplateBroken(SignerError):
    """A template version is missing, or its files are not the ones that its manifest names."""

    code = "template-broken"


@dataclass(frozen=True, slots=True)
class Template:
    """
    One version of the page, read into memory.

    `files` are (path with slashes, bytes) in the order of their paths; `manifest` is the canonical
    encoding (JCS) of what manifest.json says; `strings` are the labels by language and key.
    """

    version: str
    frozen: bool
    languages: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]
    manifest: bytes
    strings: Mapping[str, Mapping[str, str]]


def load(templates: Path, version: str) -> Template:
    """Read a version and hold every file to its digest. Raises TemplateBroken naming the file."""
    folder = _folder(templates, version)
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise TemplateBroken(f"template {version}: {MANIFEST}: {error}") from error
    files = _files(folder)
    found = {path: _hex(content) for path, content in files}
    stated = {str(path): str(digest) for path, digest in manifest["files"].items()}
    for path in sorted(found.keys() | stated.keys()):
        if found.get(path) != stated.get(path):
            raise TemplateBroken(f"template {version}: {path} is not the file that {MANIFEST} names")
    return Template(
        version=version,
        frozen=bool(manifest["frozen"]),
        languages=tuple(manifest["languages"]),
        files=files,
        manifest=rfc8785.dumps(manifest),
        strings={path[8:-5]: json.loads(content) for path, content in files if path.startswith("strings/")},
    )


def renderer_digest(templates: Path, version: str) -> bytes:
    """
    Return SHA-256 (32 bytes) of all that decides a page's bytes except its data.

    That is the canonical manifest, the versions of Typst and pikepdf (whose qpdf writes objects), how we finish the
    file, and the digests of the font files, in this order, each line ended by a newline. Equal bytes are promised for
    equal data under an equal digest.
    """
    return digest_of(load(templates, version))


def versions(templates: Path) -> tuple[str, ...]:
    """Return the versions that there are, in order."""
    return tuple(sorted(path.name for path in _folder(templates, "").iterdir() if (path / "manifest.json").is_file()))


def digest_of(template: Template) -> bytes:
    """Return the same of a version that was read."""
    lines = [
        template.manifest,
        *(f"{name} {metadata.version(name)}".encode() for name in ("typst", "pikepdf")),
        FINISH,
        *map(str.encode, _font_lines()),
    ]
    return hashlib.sha256(b"".join(line + b"\n" for line in lines)).digest()


@cache
def _font_lines() -> tuple[str, ...]:
    return tuple(
        f"{face.family} {face.index} {_hex(face.path.read_bytes())}" for face in (*fonts.FACES, *fonts.WEIGHTS)
    )


def build_manifest(templates: Path, version: str, *, frozen: bool) -> bytes:
    """Return the manifest.json that the files of a version deserve, ended by a newline."""
    files = _files(_folder(templates, version))
    languages = [
        lang
        for lang in ("zh", "en", "ru", "es", "ar", "fr")
        if any(path == f"strings/{lang}.json" for path, _ in files)
    ]
    manifest = {
        "schema": SCHEMA,
        "name": NAME,
        "version": version,
        "frozen": frozen,
        "languages": languages,
        "files": {path: _hex(content) for path, content in files},
    }
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _folder(templates: Path, version: str) -> Path:
    return templates / "document" / NAME / version


def _files(folder: Path) -> tuple[tuple[str, bytes], ...]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in (".typ", ".json"))
    named = ((path.relative_to(folder).as_posix(), path) for path in paths)
    return tuple((name, path.read_bytes()) for name, path in named if name != MANIFEST)


def _hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    """Rewrite the manifest of a version that is not frozen yet: `python -m signer.document.catalogue VERSION`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("version")
    parser.add_argument("--freeze", action="store_true", help="the last change: from now on the version never changes")
    arguments = parser.parse_args()
    path = _folder(templates_dir(), arguments.version) / MANIFEST
    if path.exists() and json.loads(path.read_bytes())["frozen"]:
        parser.error(f"version {arguments.version} is frozen: make a new one")
    path.write_bytes(build_manifest(templates_dir(), arguments.version, frozen=arguments.freeze))


if __name__ == "__main__":
    main()
