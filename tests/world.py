"""A working service in a folder, with TEST keys and the samples' parties; time is changed by assignment."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from signer import settings as configured
from signer import wiring
from signer.domain.drafting import parse_draft
from signer.domain.evidence import Asked
from signer.domain.parties import Role
from signer.domain.trust import MOST_DAYS
from signer.domain.vehicle import vin_check_character
from signer.register import accounts
from signer.seal import pki, trust, validate
from signer.services.issue import Order
from signer.services.trust import make_test_pki

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.trust import TrustEntry
    from signer.domain.verdict import Verdict
    from signer.services.sealing import Issued

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "docs" / "samples"
AT = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
KAZAKHSTAN, EMIRATES, RUSSIA, MEXICO = (
    "01-kazakhstan-three-cars",
    "02-emirates-electric",
    "03-russia-twenty-cars",
    "04-mexico-voluntary",
)
YUNZHOU, BEICHEN = "云舟样例汽车股份有限公司", "北辰样例新能源汽车（集团）有限公司"
PEOPLE = {YUNZHOU: ("chen.sample", "lin.sample"), BEICHEN: ("he.sample", "sun.sample")}
TIANSHAN, HAIYI = "91650000MA0TH03XX3", "91310000MA0HY04YYM"


def sample(name: str, *, today: date = date(2026, 11, 22)) -> Any:
    """Return a sample with real dates, as plain JSON to be edited."""
    text = (SAMPLES / f"{name}.json").read_text(encoding="utf-8")
    dated = re.sub(r'"today([+-][0-9]+)"', lambda match: f'"{today + timedelta(days=int(match[1]))}"', text)
    return json.loads(dated)


def fresh(name: str, turn: int, *, today: date = date(2026, 11, 22)) -> Any:
    """Return a sample whose vehicles no other turn has: their serials count on, their check characters fit."""
    plain = sample(name, today=today)
    for place, vehicle in enumerate(plain["vehicles"]):
        bare = f"{vehicle['vin'][:11]}{500_000 + turn * len(plain['vehicles']) + place:06d}"
        vehicle["vin"] = bare[:8] + vin_check_character(bare) + bare[9:]
    return plain


def as_bytes(plain: object) -> bytes:
    return json.dumps(plain, ensure_ascii=False).encode()


@dataclass
class World:
    """One deployment; `at` is its clock, `overrides` its settings. Wire again after changing them: `world.rewire()`."""

    folder: Path
    at: datetime = AT
    is_sandboxed: bool = False
    database_url: str = ""
    overrides: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rewire()

    @property
    def environment(self) -> dict[str, str]:
        """Everything that the deployment is told."""
        told = {"SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(self.folder)}
        if self.database_url:
            told["SIGNER_DATABASE_URL"] = self.database_url
        return {**told, **self.overrides}

    def rewire(self) -> None:
        if hasattr(self, "services"):
            self.services.database.close()
        self.settings = configured.load(self.environment)
        judge = None if self.is_sandboxed else validate.validate
        self.services = wiring.wire(self.settings, clock=lambda: self.at, judge=judge)

    def issue(self, plain: Any, *, by: str | None = None, key: str | None = None, **people: str) -> Issued:
        """Issue, and have the log take it up, as a worker does within a second."""
        issued = self.services.issuing.issue(self.order(plain, by=by, key=key, **people))
        self.services.logbook.settle()
        return issued

    def order(self, plain: Any, *, by: str | None = None, key: str | None = None, **people: str) -> Order:
        maker = by or plain.get("manufacturer") or YUNZHOU
        preparer, approver = PEOPLE.get(maker, PEOPLE[YUNZHOU])
        return Order(
            draft=parse_draft(as_bytes(plain)),
            manufacturer=maker,
            preparer=people.get("preparer", preparer),
            approver=people.get("approver", approver),
            origin="test",
            key=key,
        )

    def verify(self, pdf: bytes, **asked: Any) -> Verdict:
        return self.services.verifying.file(pdf, Asked(**asked))

    def publish(
        self,
        changed: Callable[[TrustEntry], TrustEntry | None] = lambda entry: entry,
        *,
        forget: bool = False,
        **more: Any,
    ) -> None:
        """Put the next trust list in place; `forget`: as a verifier meets it that has seen none, whatever it undoes."""
        path, folder = self.settings.trust_list_path, self.settings.keys
        older = self.services.trust.current(self.at)
        following = {
            "sequence": older.sequence + 1,
            "previous_digest": trust.digest(path.read_bytes()),
            "issued": self.at.replace(microsecond=0),
            "expires": self.at.replace(microsecond=0) + timedelta(days=MOST_DAYS),
            "entries": tuple(entry for entry in map(changed, older.entries) if entry is not None),
        }
        secret = (folder / pki.PASSWORD_FILE).read_bytes().strip()
        key = trust.load_signing_key((folder / pki.LIST_KEY_FILE).read_bytes(), password=secret)
        path.write_bytes(trust.sign(older.model_copy(update={**following, **more}), key=key))
        if forget:
            (self.folder / "trust-list.seen").unlink()

    def give(self, role: str, *people: str) -> None:
        """Let people, new ones, have one role for the first manufacturer of the samples."""
        maker = sample("register")["manufacturers"][0]["record"]["uscc"]
        plain = {
            "people": [{"id": one, "name": one} for one in people],
            "memberships": [{"person": one, "manufacturer": maker, "roles": [role]} for one in people],
        }
        self.services.people.load(as_bytes(plain), actor="test")

    def appoint(self, role: str, *people: str) -> None:
        """Let people, new ones, have one role for the whole deployment."""
        self.services.people.load(as_bytes({"people": [{"id": one, "name": one} for one in people]}), actor="test")
        with self.services.database.write() as tx:
            for one in people:
                accounts.appoint(tx, one, Role(role), by="test", at=self.at)

    def another(self) -> World:
        """Wire the same deployment once more, as another process would."""
        return World(
            self.folder,
            at=self.at,
            is_sandboxed=self.is_sandboxed,
            database_url=self.database_url,
            overrides=self.overrides,
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query behind the register's back."""
        if not self.database_url:
            with closing(sqlite3.connect(self.folder / "register.sqlite3")) as connection, connection:
                return connection.execute(query).fetchall()
        with psycopg.connect(self.database_url) as link:
            cursor = link.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    change = rows
    """Change something behind the register's back: what a careless hand could do."""


def build(folder: Path, *, at: datetime = AT, database_url: str = "") -> Path:
    """Make register, keys and parties once, as of an instant; tests copy the folder."""
    world = World(folder, at=at, database_url=database_url)
    world.services.database.upgrade()
    parties = as_bytes(sample("register", today=at.date()))
    world.services.people.load(parties, actor="test")
    key_refs = make_test_pki(world.settings, (ROOT / "keys.example" / "pki.yaml").read_bytes(), at=at)
    world.services.people.enrol_seals(world.services.trust.current(at), key_refs, actor="test")
    world.services.database.close()
    return folder


def copy(template: Path, folder: Path) -> Path:
    shutil.copytree(template, folder)
    return folder
