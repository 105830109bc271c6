"""Who opens connections: one room over HTTP, and few besides, each for something else."""

from __future__ import annotations

import ast
from pathlib import Path

import signer

ROOT = Path(signer.__file__).parent
WAYS = {
    "aiohttp",
    "asyncio.open_connection",
    "ftplib",
    "http.client",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "urllib3",
}
WAYS |= {"urllib.request", "xmlrpc"}
ALLOWED = {
    "outbound/client.py": {"http.client"},
    "outbound/line.py": {"socket"},
    "seal/stores/csc.py": {"aiohttp"},
    "serve/waiting.py": {"socket"},
    "services/post.py": {"smtplib"},
    "sandbox/keeper.py": {"socket"},
    "sandbox/nursery.py": {"socket"},
    "sandbox/walls.py": {"socket"},
    "web/intake.py": {"socket"},
}
"""pyHanko's CSC client is aiohttp's; mail is SMTP; a sandbox speaks to children; what serves is handed sockets."""


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return {way for way in WAYS if any(name == way or name.startswith(f"{way}.") for name in found)}


def test_nobody_but_the_one_client_goes_out_over_http() -> None:
    ways = {str(path.relative_to(ROOT)): _imported(path) for path in ROOT.rglob("*.py")}
    assert {name: found for name, found in ways.items() if found} == ALLOWED
