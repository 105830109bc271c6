"""No vehicle of a batch is lost, doubled or put with a stranger."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signer.domain.batch_grouping import grouped
from signer.domain.confirmation import DraftVehicle
from signer.domain.importing import SheetRow

FEW = st.sampled_from(["", "a", " a", "b"])
ROWS = st.lists(
    st.builds(
        SheetRow,
        row=st.integers(1, 50_000),
        maker=st.just("one"),
        exporter=FEW,
        country=st.sampled_from(["KZ", "哈萨克斯坦", "AE", "?"]),
        contract=FEW,
        vehicle=st.builds(DraftVehicle, vin=st.text(max_size=3), model=st.sampled_from(["M1", " M1", "M2"])),
    ),
    max_size=80,
    unique_by=lambda row: row.row,
).map(lambda rows: sorted(rows, key=lambda row: row.row))
SIZES = st.integers(1, 20)


@given(ROWS, SIZES)
def test_every_row_is_in_exactly_one_group_of_at_most_so_many(rows: list[SheetRow], size: int) -> None:
    groups = list(grouped(rows, size))
    assert sorted(row.row for group in groups for row in group.rows) == [row.row for row in rows]
    assert all(1 <= len(group.rows) <= size for group in groups)


@given(ROWS, SIZES)
def test_no_group_mixes_what_a_confirmation_can_say_once_or_models(rows: list[SheetRow], size: int) -> None:
    for group in grouped(rows, size):
        assert len({(row.key, row.vehicle.model.strip()) for row in group.rows}) == 1


@given(ROWS, SIZES)
def test_no_group_is_smaller_than_it_needs_to_be(rows: list[SheetRow], size: int) -> None:
    by_key: dict[object, list[int]] = {}
    for group in sorted(grouped(rows, size), key=lambda one: one.place):
        first = group.rows[0]
        by_key.setdefault((first.key, first.vehicle.model.strip()), []).append(len(group.rows))
    assert all(set(sizes[:-1]) <= {size} for sizes in by_key.values())


@given(ROWS, SIZES)
def test_rows_and_groups_keep_the_order_of_the_file(rows: list[SheetRow], size: int) -> None:
    groups = sorted(grouped(rows, size), key=lambda one: one.place)
    assert [group.place for group in groups] == list(range(1, len(groups) + 1))
    assert [group.rows[0].row for group in groups] == sorted(group.rows[0].row for group in groups)
    assert all([row.row for row in group.rows] == sorted(row.row for row in group.rows) for group in groups)


@given(ROWS, SIZES)
def test_the_same_rows_are_always_grouped_alike(rows: list[SheetRow], size: int) -> None:
    assert list(grouped(rows, size)) == list(grouped(iter(rows), size))
