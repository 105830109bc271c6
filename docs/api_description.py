"""
The description of the API in `docs/reference`, as the code gives it: of no deployment, and the same each time; and the
page for people that is made of it.

Run by `make_reference.py`. A description that would break whoever relies on the committed one is not written, unless
`--break` is given and CHANGELOG.md says so.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import api_page
import compare_openapi

from signer import wiring
from signer.settings import Settings
from signer.web.app import create_app

Schema = dict[str, Any]
PLACE = Path(__file__).parent / "reference" / "openapi.json"
PAGE = PLACE.with_name("api.md")
CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def described() -> Schema:
    """Return the description; its server is where it was fetched from."""
    with tempfile.TemporaryDirectory() as folder:
        app: Any = create_app(wiring.wire(Settings(data_dir=Path(folder), base_url="https://signer.example")))
        document: Schema = app.api_doc
    return {**document, "servers": [{"url": "/"}]}


def text(document: Schema) -> str:
    """Return the committed form."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def refused(old: Schema, new: Schema, *, changelog: str, may_break: bool) -> str:
    """Return why a description is not written over another one, nothing if it may be."""
    found = compare_openapi.breaks(old, new)
    if found and not may_break:
        told = "\n".join(f"  {each}" for each in found)
        return f"this breaks whoever relies on docs/reference/openapi.json:\n{told}\nIf it must be: ARGS=--break"
    if unsaid := compare_openapi.unsaid(found, changelog):
        told = ", ".join(f"`{name}`" for name in unsaid)
        return f"name what breaks under `### Breaking` of the newest heading of CHANGELOG.md: {told}"
    return ""


def main(*, may_break: bool) -> str:
    """Write the description; return why not, if it may not be."""
    document, changelog = described(), CHANGELOG.read_text(encoding="utf-8")
    committed = json.loads(PLACE.read_text(encoding="utf-8"))
    reason = refused(committed, document, changelog=changelog, may_break=may_break)
    if not reason:
        PLACE.write_text(text(document), encoding="utf-8")
        PAGE.write_text(api_page.page(document), encoding="utf-8")
    return reason


if __name__ == "__main__" and (reason := main(may_break="--break" in sys.argv[1:])):
    sys.exit(reason)
