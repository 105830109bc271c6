"""
What a release is made of: a bill of materials (CycloneDX 1.6, JSON) and a table of licences.

`python deploy/bill.py [--lock FILE] [--wheels DIR] --out DIR`: of every package that the lock names, what its own
metadata say. They are read from the wheels in a folder, else from what is installed beside this interpreter.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import uuid
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "machines.txt"
_NAMED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_TEXTS = ("licenses/LICENSE", "licenses/LICENSE.txt", "LICENSE", "LICENSE.txt")
_WORDS = {
    "Permission is hereby granted, free of charge, to any person obtaining a copy": "MIT",
    "Redistribution and use in source and binary forms": "BSD",
    "Apache License Version 2.0": "Apache-2.0",
}
"""What the text of a licence begins with, for packages that name none."""


@dataclass(frozen=True)
class Package:
    """One package of a release: what it is called, its licence in its own words, the digests that a lock allows."""

    name: str
    version: str
    licence: str
    digests: tuple[str, ...] = ()

    @property
    def purl(self) -> str:
        """Its name as other programs know it (package URL)."""
        return f"pkg:pypi/{self.name}@{self.version}"


def canonical(name: str) -> str:
    """Return a package's name as locks write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(text: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return of every package of a lock its version and its digests."""
    places = [*_NAMED.finditer(text)]
    ends = [place.start() for place in places[1:]] + [len(text)]
    return {
        canonical(place[1]): (place[2], tuple(_HASH.findall(text[place.start() : end])))
        for place, end in zip(places, ends, strict=True)
    }


def of_wheels(folder: Path) -> dict[str, metadata.Distribution]:
    """Return the metadata of every wheel in a folder, by its name."""
    found: dict[str, metadata.Distribution] = {}
    for path in sorted(folder.glob("*.whl")):
        archive = zipfile.ZipFile(path)
        inside = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        found[canonical(path.name.split("-")[0])] = metadata.PathDistribution(
            zipfile.Path(archive, inside.removesuffix("METADATA"))  # type: ignore[arg-type] # a path in all that is used
        )
    return found


def of_installed() -> dict[str, metadata.Distribution]:
    """Return the metadata of everything that is installed beside this interpreter, by its name."""
    return {canonical(one.metadata["Name"]): one for one in metadata.distributions() if one.metadata["Name"]}


def packages(lock: str, known: Mapping[str, metadata.Distribution]) -> tuple[Package, ...]:
    """
    Return every package of a lock that is known, in order.

    A lock names packages for other Pythons and systems too: those are not part of this release.
    """
    wanted = locked(lock)
    return tuple(
        Package(name, known[name].version, licence_of(known[name]), digests)
        for name, (version, digests) in sorted(wanted.items())
        if name in known and known[name].version == version
    )


def licence_of(one: metadata.Distribution) -> str:
    """Return a package's licence in its own words: an expression, else classifiers, else a first line."""
    told = one.metadata
    if expression := told.get("License-Expression"):
        return str(expression)
    classes = [value.split(" :: ")[-1] for value in told.get_all("Classifier", []) if value.startswith("License :: ")]
    kinds = [value for value in classes if value != "OSI Approved"]
    if kinds:
        return ", ".join(sorted(kinds))
    lines = (told.get("License") or "").strip().splitlines()
    return lines[0].strip() if lines else _by_text(one)


def _by_text(one: metadata.Distribution) -> str:
    """Return the licence whose text a package carries, if it says nothing else."""
    carried = " ".join((one.read_text(place) or "") for place in _TEXTS)
    return next((name for words, name in _WORDS.items() if words in " ".join(carried.split())), "")


def bill(version: str, parts: Iterable[Package]) -> str:
    """Return the bill of materials, the same for the same parts: its serial number is made of them."""
    components = [_component(part) for part in parts]
    own = {"type": "application", "name": "signer", "version": version, "bom-ref": f"pkg:pypi/signer@{version}"}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([own, components], sort_keys=True))
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": {**own, "licenses": [{"license": {"id": "Apache-2.0"}}], "purl": own["bom-ref"]}},
        "components": components,
        "dependencies": [{"ref": own["bom-ref"], "dependsOn": [part["bom-ref"] for part in components]}],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _component(part: Package) -> dict[str, Any]:
    # a lock allows several files of one package (wheels of other systems); which one it is, SHA256SUMS says
    hashes = [{"alg": "SHA-256", "content": part.digests[0]}] if len(part.digests) == 1 else []
    return {
        "type": "library",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
        "licenses": [{"license": {"name": part.licence or "unknown"}}],
        **({"hashes": hashes} if hashes else {}),
    }


def licences(version: str, parts: Iterable[Package]) -> str:
    """Return the table of licences, in each package's own words."""
    rows = "".join(f"| `{part.name}` | {part.version} | {part.licence or '?'} |\n" for part in parts)
    return (
        f"# Licences of what signer {version} runs with\n\n"
        "Each in the words of the package's own metadata; signer itself is Apache-2.0.\n\n"
        f"| package | version | licence |\n|---|---|---|\n{rows}"
    )


def write(folder: Path, *, version: str, lock: str, known: Mapping[str, metadata.Distribution]) -> tuple[Package, ...]:
    """Write both documents into a folder, and return what they name."""
    parts = packages(lock, known)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sbom.cdx.json").write_text(bill(version, parts), encoding="utf-8")
    (folder / "licences.md").write_text(licences(version, parts), encoding="utf-8")
    return parts


def own_version() -> str:
    """Return the version of this checkout."""
    text = (ROOT / "signer" / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "([^"]+)"', text, re.MULTILINE)[0]


def main() -> int:
    """Write both documents of a lock."""
    parser = argparse.ArgumentParser(description="The bill of materials and the licences of a release.")
    parser.add_argument("--lock", type=Path, default=LOCK)
    parser.add_argument("--wheels", type=Path, help="read the packages' wheels there, not what is installed")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    known = of_wheels(given.wheels) if given.wheels else of_installed()
    parts = write(given.out, version=own_version(), lock=given.lock.read_text(encoding="utf-8"), known=known)
    print(f"{len(parts)} packages, {sum(not part.licence for part in parts)} without a word on their licence")
    return 0


if __name__ == "__main__":
    sys.exit(main())
