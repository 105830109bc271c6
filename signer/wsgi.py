"""The WSGI entrance for a server of one's own: `gunicorn 'signer.wsgi:create()'`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer import logs, metrics, settings, wiring
from signer.web.app import create_app

if TYPE_CHECKING:
    from flask import Flask


def create() -> Flask:
    """Return the application over this process's own services. Raises Misconfigured."""
    chosen = settings.load()
    logs.configure(chosen.log_level)
    metrics.begin(chosen.run_dir, "web")
    return create_app(wiring.wire_ready(chosen))
