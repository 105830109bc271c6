"""`signer sandbox`: a second deployment, in TEST mode, to practise with."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import click

from signer import logs, resources, settings, wiring
from signer import serve as serving
from signer.cli.house import write
from signer.errors import Misconfigured

_MARK = "THIS-IS-A-SANDBOX"
_TOKENS = "tokens.json"
_BEGUN, _WHOLE = "being made\n", "`signer sandbox --reset` forgets everything in this folder.\n"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="signer-sandbox")
@click.option("--reset", is_flag=True, help="Make it anew: everything in FOLDER is forgotten.")
@click.option("--host", default=serving.HOST, show_default=True, help="Address to listen on.")
@click.option("--port", default=8010, show_default=True, help="Port to listen on.")
@click.option("--base-url", default="", help="How it is reached from elsewhere; default: this address and port.")
@click.option("--no-serve", is_flag=True, help="Make it, and do not serve it.")
def sandbox(folder: Path, reset: bool, host: str, port: int, base_url: str, no_serve: bool) -> None:
    """
    Serve a deployment to practise with from FOLDER: TEST keys, sample parties, tokens; --reset makes it anew.

    It is made at the first time, and shares nothing with any other deployment: settings in the environment are not
    read. Its tokens are in FOLDER/tokens.json and begin with sgnr_test_.
    """
    place = folder.resolve()
    if reset:
        _forget(place)
    chosen = settings.load(
        {
            "SIGNER_MODE": "test",
            "SIGNER_DATA_DIR": str(place / "data"),
            "SIGNER_BASE_URL": base_url or f"http://{host}:{port}",
        }
    )
    logs.configure(chosen.log_level)
    if _marked(place) != _WHOLE:
        _make(place, chosen)
    click.echo(f"sandbox: {chosen.base_url} (TEST: nothing here has any effect)")
    for part in json.loads((place / _TOKENS).read_text(encoding="utf-8")):
        click.echo(f"  {part['name']}{part['speaks_for'] and ' of ' + part['speaks_for']}: {part['token']}")
    if not no_serve:
        serving.run(chosen, host=host, port=port)


def _make(place: Path, chosen: settings.Settings) -> None:
    """Make it in a new or empty folder, or in that of one that was begun and not finished. Misconfigured."""
    if _marked(place) == _BEGUN:
        _forget(place)
    if place.exists() and any(place.iterdir()):
        raise Misconfigured(f"{place} holds something that is no sandbox: name another folder, or empty it")
    (place / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
    write(place / _MARK, _BEGUN.encode())
    wired = wiring.wire(chosen)
    wired.database.upgrade()
    parts = wired.practising.fill(resources.sample("register.json"), resources.sample("pki.yaml"))
    wired.database.close()
    told = json.dumps([asdict(part) for part in parts], ensure_ascii=False, indent=1)
    tokens = place / _TOKENS
    tokens.touch(mode=0o600)
    tokens.write_text(told + "\n", encoding="utf-8")
    write(place / _MARK, _WHOLE.encode())


def _marked(place: Path) -> str:
    """Return what the mark in a folder says, '' where there is none."""
    try:
        return (place / _MARK).read_text(encoding="utf-8")
    except OSError:
        return ""


def _forget(place: Path) -> None:
    """Empty a sandbox's folder, and no other's. Misconfigured."""
    if not place.exists():
        return
    if not _marked(place) and any(place.iterdir()):
        raise Misconfigured(f"{place} has no {_MARK}: nothing in it is forgotten")
    shutil.rmtree(place)
