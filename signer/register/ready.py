"""
Statements that are compiled once for each database: for the two transactions of every confirmation, and for look-ups.

SQLAlchemy finds a statement's compiled form anew at each execution, and wraps what it answers: that costs more than
most of these statements do (docs/adr/0015). They stay statements of SQLAlchemy Core, in a transaction of its
connection; only their execution is the driver's own.
"""

from __future__ import annotations

from collections import namedtuple
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import LargeBinary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.engine import Connection, Dialect
    from sqlalchemy.sql.elements import CompilerElement
    from sqlalchemy.types import TypeEngine

    Values = Mapping[str, object]


_NONE: Values = MappingProxyType({})


class Answer(Protocol):
    """What a statement answers, in the driver's types."""

    def fetchone(self) -> Sequence[Any] | None:
        """Return the next row, or None."""

    def fetchall(self) -> Sequence[Any]:
        """Return all rows that are left."""


class Ready:
    """A statement without expanding parameters, always executed with values of the same names."""

    def __init__(self, statement: CompilerElement) -> None:
        self._statement = statement
        self._forms: dict[str, _Form] = {}

    def execute(self, tx: Connection, values: Values) -> Answer:
        """Execute it with one set of values."""
        form = self._form(tx.dialect, values)
        driver: Any = tx.connection.dbapi_connection
        answer: Answer = driver.execute(form.text, form.parameters(values))
        return answer

    def execute_many(self, tx: Connection, rows: Sequence[Values]) -> None:
        """Execute it with each of several sets of values."""
        form = self._form(tx.dialect, rows[0])
        every: list[Any] = [form.parameters(values) for values in rows]
        driver: Any = tx.connection.dbapi_connection
        driver.cursor().executemany(form.text, every)

    def execute_rows(self, tx: Connection, names: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
        """Execute it with each of several rows, whose values stand in the order of the names."""
        form = self._form(tx.dialect, dict.fromkeys(names))
        driver: Any = tx.connection.dbapi_connection
        driver.cursor().executemany(form.text, form.by_place(names, rows))

    def rows(self, tx: Connection, values: Values = _NONE) -> list[Any]:
        """Execute a question, and return its rows: named tuples of the values that SQLAlchemy's own would hold."""
        form = self._form(tx.dialect, values)
        driver: Any = tx.connection.dbapi_connection
        return form.read(driver.execute(form.text, form.parameters(values)).fetchall())

    def first(self, tx: Connection, values: Values = _NONE) -> Any:  # noqa: ANN401 - a row, as `rows` returns it
        """Execute a question, and return its first row, or None."""
        found = self.rows(tx, values)
        return found[0] if found else None

    def _form(self, dialect: Dialect, values: Values) -> _Form:
        if (form := self._forms.get(dialect.name)) is None:
            form = self._forms[dialect.name] = _Form(self._statement, dialect, tuple(values))
        return form


class _Form:
    """A statement as one database's driver takes it."""

    def __init__(self, statement: CompilerElement, dialect: Dialect, names: tuple[str, ...]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=names)
        self.text = str(compiled)
        writers = {name: _writer(bind.type, dialect) for bind, name in compiled.bind_names.items()}
        self._is_positional = bool(compiled.positional)
        self._binds = tuple((name, writers[name]) for name in (compiled.positiontup or writers))
        self._fixed = {name: value for name, value in compiled.params.items() if name not in names}

        columns = getattr(statement, "selected_columns", None)
        self._readers = tuple(_reader(column.type, dialect) for column in columns or ())
        self._row: Any = namedtuple("Row", [column.key for column in columns]) if columns else None

    def read(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Return the driver's rows as ours."""
        make, readers = self._row._make, self._readers
        return [
            make([value if reader is None else reader(value) for reader, value in zip(readers, row, strict=True)])
            for row in rows
        ]

    def by_place(self, names: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> Sequence[object]:
        """Return rows as the driver takes them: as they are, if they are in its order and need no writer."""
        is_plain = all(writer is None for _, writer in self._binds) and not self._fixed
        if self._is_positional and is_plain and names == tuple(name for name, _ in self._binds):
            return rows
        return [self.parameters(dict(zip(names, row, strict=True))) for row in rows]

    def parameters(self, values: Values) -> tuple[object, ...] | dict[str, object]:
        """Return values as the driver takes them: by place or by name."""
        all_of = {**self._fixed, **values} if self._fixed else values
        if self._is_positional:
            return tuple([writer(all_of[name]) if writer is not None else all_of[name] for name, writer in self._binds])
        return {name: writer(all_of[name]) if writer is not None else all_of[name] for name, writer in self._binds}


def _writer(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return what makes the driver's value of ours; it takes bytes as they are."""
    return None if isinstance(kind, LargeBinary) else kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return what makes our value of the driver's."""
    return kind.dialect_impl(dialect).result_processor(dialect, None)
