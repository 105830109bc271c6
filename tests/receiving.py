"""A manufacturer's own system on this computer: it hears webhooks, and answers as a test says."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import outside

from signer.services.webhooks import Made, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outside import Asked
    from world import World

OWN, OTHER = "91440000MA0YX01AAY", "91110000MA0BC02BBK"


@dataclass
class Receiver:
    """`status` is what it answers (None: it hangs until `gate` opens); `heard` is all that came."""

    port: int = 0
    status: int | None = 204
    heard: list[Asked] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def told(self) -> list[Any]:
        return [json.loads(one.body) for one in self.heard]

    @property
    def kinds(self) -> list[str]:
        return [one["type"] for one in self.told]

    def answer(self, asked: Asked) -> outside.Reply:
        self.heard.append(asked)
        if self.status is None:
            self.gate.wait(20)
        return self.status or 204, {}, b""


@contextmanager
def receiving(world: World, **how: Any) -> Iterator[Receiver]:
    """Hear, on a port that the operator allows."""
    receiver = Receiver(**how)
    with outside.serving(receiver.answer) as receiver.port:
        allow(world, f"127.0.0.1:{receiver.port}")
        try:
            yield receiver
        finally:
            receiver.gate.set()


def allow(world: World, host: str) -> None:
    known = world.overrides.get("SIGNER_WEBHOOK_HOSTS", "")
    world.overrides["SIGNER_WEBHOOK_HOSTS"] = f"{known} {host}".strip()
    world.rewire()


def subscribe(world: World, url: str, *events: str, maker: str = OWN, label: str = "ERP") -> Made:
    wanted = Wanted(url=url, label=label, events=events or ("issued",))
    return world.services.webhooks.create(maker, wanted, by="test")


def deliver(world: World) -> None:
    """Hand out what is due, and wait for it, until nothing is due."""
    world.services.delivering.finish()
    while world.services.delivering.hand_out() != "nothing due":
        world.services.delivering.finish()
