"""Where templates/ is: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path


def templates_dir() -> Path:
    """Return the folder that holds `document/` and `web/`; the checkout's own folder wins over a packaged one."""
    package = Path(__file__).resolve().parent
    beside = package.parent / "templates"
    return beside if (beside / "document").is_dir() else package / "_templates"


def sample(name: str) -> bytes:
    """Return a file with which one practises: `register.json` (parties), `pki.yaml` (a TEST PKI)."""
    package = Path(__file__).resolve().parent
    beside = {"register.json": "docs/samples", "pki.yaml": "keys.example"}[name]
    checkout = package.parent / beside / name
    return (checkout if checkout.is_file() else package / "_templates" / "practice" / name).read_bytes()
