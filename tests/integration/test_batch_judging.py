"""A batch's file is judged as its confirmations will be when they are sealed, and every fault in it has a cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import many_vehicles
import pytest
import world as worlds
from handing_in import OWN

from signer import resources
from signer.domain import content, rules
from signer.domain.confirmation import Draft, DraftCommitment
from signer.register import parties
from signer.services.batch_judging import BatchJudging, Judged, Outcome, Wanted
from signer.services.engines import Page, SealBox
from signer.services.gathering import Asking, Gathering, usable_seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

COMMITMENT = DraftCommitment(**many_vehicles.COMMITMENT)


@dataclass
class Desk:
    """A register that nothing here changes, and what reads files against it."""

    world: worlds.World
    judged: list[Judged] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings, services = self.world.settings, self.world.services
        self.page = Page(settings, resources.templates_dir())
        self.seals = SealBox(settings, trust=services.trust, clock=lambda: self.world.at)
        self.judging = BatchJudging(database=services.database, page=self.page, seals=self.seals)

    def judge(
        self,
        data: bytes,
        *,
        size: int = 1,
        commitment: DraftCommitment | None = COMMITMENT,
        elsewhere: Mapping[str, str] = {},
    ) -> Outcome:
        wanted = Wanted(maker=OWN.maker, preparer=OWN.person, size=size, commitment=commitment)
        self.judged = []
        return self.judging.judge(data, wanted, self.judged.append, at=self.world.at, elsewhere=elsewhere)


@pytest.fixture(scope="module")
def desk(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = worlds.World(worlds.copy(template_folder, tmp_path_factory.mktemp("judging") / "data"))
    yield Desk(made)
    made.services.database.close()


def said(outcome: Outcome) -> list[tuple[str, str]]:
    return [(one.place, one.rule) for one in outcome.report.said if one.severity == "violation"]


def mixed(count: int) -> list[dict[str, Any]]:
    """Return vehicles of two models, two destinations and four contracts, in turns."""
    return [
        many_vehicles.vehicle(
            serial,
            model=("YZS6480T1", "YZS7000BEV1")[serial % 2],
            country=("KZ", "哈萨克斯坦", "AE")[serial % 3],
            contract=f"TS-{serial % 4}",
            energy=("汽油", "纯电动")[serial % 2],
        )
        for serial in range(count)
    ]


@pytest.mark.parametrize("size", [1, 3])
def test_terms_and_digest_are_those_that_issuing_would_come_to(desk: Desk, size: int) -> None:
    commitment = COMMITMENT.model_copy(update={"battery_service": True})
    outcome = desk.judge(many_vehicles.as_lines(mixed(24)), size=size, commitment=commitment)
    assert not outcome.is_faulty, outcome.report.said
    assert sorted(row for one in desk.judged for row in one.rows) == list(range(1, 25))
    gathering = Gathering(page=desk.page, seals=desk.seals)
    with desk.world.services.database.read() as tx:
        tenant = parties.tenant(tx, OWN.maker)
        seal = usable_seal(tx, tenant, at=desk.world.at)
        for one in desk.judged:
            body = Draft.model_validate_json(one.draft.model_dump_json(by_alias=True, exclude_defaults=True))
            asking = Asking(tenant=tenant, preparer=OWN.person, approver=worlds.PEOPLE[worlds.YUNZHOU][1])
            given = gathering.circumstances(tx, body, asking, seal=seal, at=desk.world.at)
            terms = rules.to_terms(body, given)
            assert (terms, content.terms_digest(terms)) == (one.terms, one.terms_digest)
            assert len(one.lane) <= 80


def test_pages_of_one_lane_are_alike(desk: Desk) -> None:
    commitment = COMMITMENT.model_copy(update={"battery_service": True})
    desk.judge(many_vehicles.as_lines(mixed(24)), commitment=commitment)
    lanes = {one.lane: one.terms.outlets for one in desk.judged}
    assert len(lanes) == 2
    assert all(lanes[one.lane] == one.terms.outlets for one in desk.judged)


@pytest.mark.parametrize(
    "encode",
    [
        many_vehicles.as_csv,
        many_vehicles.as_xlsx,
        many_vehicles.as_lines,
        lambda rows: many_vehicles.as_csv(rows, encoding="utf-8-sig"),
        lambda rows: many_vehicles.as_csv(rows, encoding="gb18030"),
    ],
)
def test_a_file_comes_to_the_same_in_every_form(desk: Desk, encode: Callable[[Any], bytes]) -> None:
    made = many_vehicles.vehicles(3)
    outcome = desk.judge(encode(made))
    assert not outcome.is_faulty, outcome.report.said
    assert [str(one.terms.vins[0]) for one in desk.judged] == [one["vin"] for one in made]
    assert outcome.vehicles == 3


def test_every_fault_is_told_by_its_cell_and_nothing_comes_of_the_file(desk: Desk) -> None:
    made = many_vehicles.vehicles(8)
    made[1]["vin"] = made[0]["vin"]
    made[2]["vin"] = made[2]["vin"].replace("L0Y", "LOY")
    made[3]["registered_on"] = "2026/2/30"
    made[4]["country"] = "AR"
    made[5]["exporter"] = "91310000MA0HY04YYX"
    made[6]["energy"] = "steam"
    made[7]["certificate_manufacturer"] = worlds.BEICHEN
    outcome = desk.judge(many_vehicles.as_csv(made))
    assert said(outcome) == [
        ("A3", "vin.twice"),
        ("A4", "vin.look-alike"),
        ("D5", "date.invalid"),
        ("J6", "outlet.none"),
        ("K7", "uscc.check"),
        ("I8", "cell.choice"),
        ("E9", "issuer.name"),
    ]
    assert outcome.is_faulty
    typed = {one.place: (one.header, one.typed) for one in outcome.report.said}
    assert typed["D5"] == ("首次登记日期", "2026/2/30")
    assert typed["J6"] == ("目的国", "AR")


def test_what_a_draft_may_lack_for_a_while_a_batch_may_not(desk: Desk) -> None:
    made = [
        {name: value for name, value in one.items() if name not in ("exporter", "country")}
        for one in many_vehicles.vehicles(3)
    ]
    outcome = desk.judge(many_vehicles.as_lines(made), commitment=None)
    assert {("", "country.missing"), ("", "exporter.missing"), ("", "text.missing")} <= set(said(outcome))
    assert outcome.report.count == len(outcome.report.said), "what is about the whole file is told once"


def test_rows_of_electric_vehicles_without_battery_service_are_those_of_the_file(desk: Desk) -> None:
    made = many_vehicles.vehicles(5)
    made[3]["energy"] = "纯电动"
    outcome = desk.judge(many_vehicles.as_csv(made), size=2)
    (told,) = [one for one in outcome.report.said if one.rule == "commitment.battery"]
    assert (told.place, told.typed, "(line 5)" in told.en) == ("I5", "battery-electric", True)
    assert not outcome.is_faulty


def test_a_vehicle_that_is_in_force_or_waits_elsewhere_is_told(desk: Desk) -> None:
    issued = worlds.sample(worlds.KAZAKHSTAN)
    desk.world.issue(issued)
    made = many_vehicles.vehicles(3)
    made[0]["vin"] = issued["vehicles"][0]["vin"]
    draft = desk.world.services.drafting.begin(
        OWN.maker, by=OWN.person, body=Draft.model_validate({"vehicles": ({"vin": made[1]["vin"]},)})
    )
    outcome = desk.judge(many_vehicles.as_lines(made), elsewhere={made[2]["vin"]: "ANOTHER"})
    assert said(outcome) == [("A1", "vin.live"), ("A2", "vin.drafted"), ("A3", "vin.batched")]
    told = {one.place: one.en for one in outcome.report.said}
    assert draft in told["A2"]
    assert "ANOTHER" in told["A3"]


def test_a_file_that_is_none_is_faulty_and_says_why(desk: Desk) -> None:
    for data, rule in (
        (b"a,b\n1,2\n", "sheet.no-header"),
        (many_vehicles.as_csv([]), "sheet.no-rows"),
        (many_vehicles.as_csv(many_vehicles.vehicles(1)).replace("品牌".encode(), b"?"), "sheet.column-missing"),
        (b"", "sheet.empty"),
        (b"%PDF-1.7", "sheet.other"),
        (b'{"vin": "A"}\n{"vin"', "sheet.line"),
    ):
        outcome = desk.judge(data)
        assert said(outcome) == [("", rule)]
        assert outcome.is_faulty
