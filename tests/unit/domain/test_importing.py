"""Rows become drafts without loss: none is lost, none is there twice, and each stands with those it belongs to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signer.domain.confirmation import DraftCommitment, DraftVehicle
from signer.domain.importing import SheetRow, assigned, draft_of, parted, placed, read_plan
from signer.domain.table import Cell, Row, Table
from signer.domain.vehicle_columns import VEHICLE_COLUMNS
from signer.errors import Finding

FEW = st.sampled_from(["", "a", " a", "b"])
ROWS = st.lists(
    st.builds(
        SheetRow,
        row=st.integers(2, 5000),
        maker=st.sampled_from(["one", "two"]),
        exporter=FEW,
        country=st.sampled_from(["KZ", "哈萨克斯坦", "Kazakhstan", "AE", "?"]),
        contract=FEW,
        vehicle=st.builds(DraftVehicle, vin=st.text(max_size=3)),
    ),
    max_size=60,
    unique_by=lambda row: row.row,
)


def finding(pointer: str, *, rule: str = "vin.check-digit", severity: str = "violation") -> Finding:
    return Finding(rule=rule, severity=severity, pointer=pointer, zh="", en="", source="")  # type: ignore[arg-type]


@given(ROWS, st.integers(1, 25))
def test_parting_loses_and_doubles_no_row(rows: list[SheetRow], size: int) -> None:
    groups = parted(rows, size)
    assert sorted(row.row for group in groups for row in group) == sorted(row.row for row in rows)
    assert all(1 <= len(group) <= size for group in groups)
    assert all(len({row.key for row in group}) == 1 for group in groups)
    assert parted(rows, size) == groups


@given(ROWS)
def test_no_draft_is_smaller_than_it_needs_to_be(rows: list[SheetRow]) -> None:
    groups = parted(rows, 20)
    for key in {row.key for row in rows}:
        sizes = [len(group) for group in groups if group[0].key == key]
        assert all(size == 20 for size in sizes[:-1])


def test_one_country_is_one_destination_whatever_it_is_called() -> None:
    rows = [SheetRow(row=row, country=name, vehicle=DraftVehicle()) for row, name in enumerate(["KZ", "哈萨克斯坦"], 2)]
    assert len(parted(rows, 20)) == 1


def test_rows_go_to_the_manufacturer_that_their_certificate_names_by_any_of_its_names() -> None:
    names = ["甲（集团）公司", "甲(集团)公司", "甲旧名", "乙公司", "陌生公司", ""]
    table = Table(
        form="csv",
        rows=(
            Row(number=1, cells=tuple(Cell(text=text) for text in ("VIN", "品牌", "型号", "注册日期", "制造厂名称"))),
            *(
                Row(number=number, cells=tuple(Cell(text=text) for text in ("X", "b", "m", "2026-01-01", name)))
                for number, name in enumerate(names, 2)
            ),
        ),
    )
    plan, report = read_plan(table, VEHICLE_COLUMNS)
    known = {"A": ("甲（集团）公司", "甲旧名"), "B": ("乙公司",)}
    assert [row.maker for row in assigned(plan, known, own="A").rows] == ["A", "A", "A", "B", "A", "A"]
    assert [(said.rule, said.place, said.typed) for said in report.said] == [
        ("vin.twice", f"A{row}", "X") for row in range(3, 8)
    ]
    assert [row.is_good for row in plan.rows] == [True, *[False] * 5]


def test_findings_become_cells_and_what_is_about_the_draft_alone_is_left_to_it() -> None:
    group = [SheetRow(row=row, vehicle=DraftVehicle()) for row in (7, 9)]
    found = placed(
        [
            finding("/vehicles/1/model"),
            finding("/vehicles/0/outlets", severity="warning"),
            finding("/exporter", rule="exporter.unknown"),
            finding("/exporter", rule="exporter.missing"),
            finding("/destination/country"),
            finding("/vehicles/0/vin", severity="notice"),
            finding("/vehicles", rule="issuer.several"),
            finding("", rule="seal.missing"),
        ],
        group,
        {"vin": 0, "model": 2, "exporter": 27},
    )
    assert [each.pointer for each in found] == ["C9", "A7", "AB7", "AB9"]


def test_a_draft_says_what_its_rows_have_in_common() -> None:
    rows = [SheetRow(row=2, exporter="E", country="KZ", contract="C", port="P", vehicle=DraftVehicle(vin="V"))]
    draft = draft_of(rows, "甲", DraftCommitment())
    assert (draft.manufacturer, draft.exporter, draft.destination.country, draft.contract) == ("甲", "E", "KZ", "C")
    assert [vehicle.vin for vehicle in draft.vehicles] == ["V"]
