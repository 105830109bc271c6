"""What verifying costs: the walls and our checks on top of pyHanko, bombs beside honest files, twenty files at once."""

from __future__ import annotations

import importlib.util
import io
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import cached_property, partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

ATTACKS = Path(__file__).resolve().parent.parent / "attacks"
sys.path.insert(0, str(ATTACKS))

import genuine as honest  # noqa: E402 -- the path is set above
import world as worlds  # noqa: E402
from asn1crypto import x509  # noqa: E402
from cases import Case  # noqa: E402
from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: E402
from pyhanko.sign.validation import validate_pdf_signature  # noqa: E402
from pyhanko.sign.validation.dss import DocumentSecurityStore  # noqa: E402

from signer.domain.evidence import Asked  # noqa: E402
from signer.domain.trust import Purpose  # noqa: E402
from signer.domain.verdict import Outcome  # noqa: E402
from signer.seal import reading, validate  # noqa: E402
from signer.services.licence import Question  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signer.domain.trust import TrustList

SEED = 20261122
CLIENTS, REQUESTS, EVERY = 4, 600, 20
"""Clients that ask one after another, requests of all of them together; every so-manieth is a bomb: 5 %."""
PAPERS = 20
HOUSE = 40
"""Files of one house that are judged in turn, so that nothing is gained by reading one file twice."""
HURTFUL = (
    "certificates_by_the_thousand",
    "cross_certificates",
    "deep_nesting",
    "fields_by_the_thousand",
    "huge_value",
    "looping_references",
    "revisions_by_the_thousand",
    "streams_that_explode",
    "tables_that_explode",
    "tokens_without_end",
    "walks_in_circles",
)


def all_cases() -> Iterator[Case]:
    made = Verifying()
    yield Case(
        name="verify.overhead",
        ours=made.whole,
        peer=made.stock,
        peer_name="stock pyHanko validation of the same file, here; ours: behind walls, all checks, register",
        target=0.77,
    )
    yield Case(
        name="verify.fast",
        ours=made.facts,
        peer=made.stock_in_turn,
        peer_name=f"pyHanko's DSS validation of the same {HOUSE} B-LT files; ours: behind walls, in a kept child",
        target=20,
    )
    yield Case(
        name="verify.fast_inside",
        ours=made.inside,
        peer=made.stock_in_turn,
        peer_name=f"the same validation of the same {HOUSE} files; ours: the fast path alone, in this process",
    )
    yield Case(
        name="verify.fast_and_full",
        ours=made.inside,
        peer=made.whole_path,
        peer_name="our full path, both in this process; ours: the fast path alone",
    )
    yield Case(
        name="verify.hostile_mix_p99",
        ours=partial(made.p99, bombs=True),
        peer=partial(made.p99, bombs=False),
        peer_name=f"p99 of honest files among {REQUESTS} by {CLIENTS} clients; ours: 5 % of them bombs",
        target=0.5,
        unit="ms p99",
    )
    yield Case(
        name="verify.licence20",
        ours=made.licence,
        peer=made.singles,
        peer_name=f"the sum of {PAPERS} single files, one after another; ours: in one licence check",
        target=1.67,
    )


class Verifying:
    """A deployment with confirmations in force, behind its walls as in production."""

    @cached_property
    def world(self) -> worlds.World:
        folder = worlds.build(Path(tempfile.mkdtemp(prefix="bench-")))
        return worlds.World(folder, is_sandboxed=True)

    @cached_property
    def papers(self) -> tuple[bytes, ...]:
        return tuple(self.world.issue(worlds.fresh(worlds.KAZAKHSTAN, turn)).pdf for turn in range(PAPERS))

    def whole(self) -> object:
        """Return our whole answer."""
        verdict = self.world.verify(self.papers[0])
        assert verdict.outcome is Outcome.PASS
        return verdict

    @cached_property
    def _house(self) -> tuple[bytes, ...]:
        more = (self.world.issue(worlds.fresh(worlds.KAZAKHSTAN, turn)).pdf for turn in range(PAPERS, HOUSE))
        return (*self.papers, *more)

    @cached_property
    def _turns(self) -> defaultdict[str, Iterator[bytes]]:
        """Each asker's own way through the files of the house."""
        return defaultdict(lambda: cycle(self._house))

    def stock_in_turn(self) -> object:
        """Return what pyHanko says of the next file of the house."""
        return self.stock(next(self._turns["stock"]))

    def stock(self, file: bytes | None = None) -> object:
        """Return what pyHanko says of the same file, told the same authorities."""
        reader = PdfFileReader(io.BytesIO(file or self.papers[0]))
        settings = {
            "trust_roots": self._listed[-1:],
            "other_certs": self._listed[:-1],
            "moment": self.world.at,
            "allow_fetching": False,
            "revocation_mode": "require",
        }
        context = DocumentSecurityStore.read_dss(reader).as_validation_context(settings)
        status = validate_pdf_signature(reader.embedded_signatures[0], context)
        assert status.bottom_line
        return status

    def facts(self) -> object:
        """Return what a child finds of the file: what the register knows of it goes to one that is kept."""
        facts = reading.facts_of(next(self._turns["facts"]), self._trust, self.world.at, is_known=True)
        assert facts.level == "B-LT"
        return facts

    def inside(self) -> object:
        """Return the facts by the fast path, without a child."""
        return validate.quickly(next(self._turns["inside"]), self._trust, self.world.at)

    def whole_path(self) -> object:
        """Return the facts by the full path, without a child."""
        return validate.whole(next(self._turns["whole"]), self._trust, self.world.at)

    @cached_property
    def _trust(self) -> TrustList:
        return self.world.services.trust.current(self.world.at)

    @cached_property
    def _listed(self) -> list[x509.Certificate]:
        authorities = self.world.services.trust.current(self.world.at).of(Purpose.CA)
        return [x509.Certificate.load(entry.der) for entry in authorities]

    @cached_property
    def _bombs(self) -> tuple[bytes, ...]:
        """Return the ten files that take longest of the attacks that mean to hurt the reader."""
        issued = self.world.issue(worlds.sample(worlds.EMIRATES))
        genuine = honest.Genuine(world=self.world, issued=issued, elsewhere=self.world.folder / "strangers")
        taken: list[tuple[float, bytes]] = []
        for name in HURTFUL:
            for file in _attack(ATTACKS / "made" / f"{name}.py")(genuine):
                begun = time.perf_counter()
                self.world.verify(file)
                taken.append((time.perf_counter() - begun, file))
        taken.sort(key=lambda one: -one[0])
        print("bombs take (s):", " ".join(f"{took:.2f}" for took, _ in taken[:10]), "of", len(taken))
        return tuple(file for _, file in taken[:10])

    def p99(self, *, bombs: bool) -> float:
        """Return the ninety-ninth percentile of the time that an honest file waits for its answer, in ms."""
        chance = random.Random(SEED)
        mix = [None if place % EVERY else chance.choice(self._bombs) for place in range(REQUESTS)]
        chance.shuffle(mix)
        waited: list[float] = []

        def ask(bomb: bytes | None) -> None:
            if bomb is not None and bombs:
                self.world.verify(bomb)
                return
            begun = time.perf_counter()
            self.whole()
            waited.append((time.perf_counter() - begun) * 1000)

        self.whole()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(ask, mix))
        return statistics.quantiles(waited, n=100)[98]

    def licence(self) -> object:
        """Check a licence with twenty papers in one request."""
        answer = self.world.services.licence.check(self._question, network="192.0.2.1")
        assert answer.matched == answer.asked
        return answer

    def singles(self) -> object:
        """Verify the same papers one by one."""
        return [self.world.services.verifying.file(pdf, Asked()) for pdf in self.papers]

    @cached_property
    def _question(self) -> Question:
        terms = [self.world.verify(pdf).confirmation.terms for pdf in self.papers]  # type: ignore[union-attr]
        return Question(
            vins=tuple(str(vin) for each in terms for vin in each.vins),
            destination=terms[0].destination.country.alpha2,
            exporter=terms[0].exporter.uscc,
            applied_on=date(2026, 11, 22) + timedelta(days=1),
            files=tuple((f"{place}.pdf", pdf) for place, pdf in enumerate(self.papers)),
        )


def _attack(path: Path) -> Callable[[honest.Genuine], Iterator[bytes]]:
    spec = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    make: Callable[[honest.Genuine], Iterator[bytes]] = module.make
    return make
