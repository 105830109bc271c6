"""Build the site of the documents, strictly: `python docs/build_site.py [FOLDER]` (build/site). Needs `setup.sh docs`.

A link or an anchor that leads nowhere, a page outside the nav, and anything that a page would fetch from another host
end it with an error.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / ".venv" / "docs"
_FETCHED = re.compile(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//|<link\b[^>]*\bhref="(?:https?:)?//')


def build(folder: Path) -> None:
    """Build it into a folder; raise CalledProcessError where anything is wrong."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGES), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def fetching(folder: Path) -> list[str]:
    """Return the pages that would ask another host for something."""
    pages = sorted(folder.rglob("*.html"))
    return [str(page.relative_to(folder)) for page in pages if _FETCHED.search(page.read_text(encoding="utf-8"))]


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site"
    try:
        build(folder.absolute())
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    if asking := fetching(folder):
        sys.exit("these pages fetch from other hosts: " + ", ".join(asking))
    print(f"{len(list(folder.rglob('*.html')))} pages in {folder}: open index.html")


if __name__ == "__main__":
    main()
