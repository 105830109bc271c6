"""
Break the decision in every small way, one at a time, and see whether the tests of verification notice.

`make mutants` (`ARGS=signer.verification.decide`: of one module): each mutant of signer/verification/decide.py and
checks.py is compiled in a fork of this process, in which tests/unit/verification then runs until its first failure.
Those that no test noticed are listed, to be judged: docs/explanation/what-mutants-say.md says of each of the last run
why it lives, or which test was written.
"""

from __future__ import annotations

import ast
import copy
import importlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = ("signer.verification.checks", "signer.verification.decide")
TESTS = ROOT / "tests" / "unit" / "verification"
MOST_S = 120
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_BETTER = {"State": "PASSED", "Code": "VALID"}


def mutants(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Yield every mutant of a module: the line, what was done, and the whole changed tree."""
    for place, node in enumerate(ast.walk(tree)):
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            mine = next(other for at, other in enumerate(ast.walk(changed)) if at == place)
            change(mine)
            yield getattr(node, "lineno", 0), what, ast.fix_missing_locations(changed)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            other = _OPPOSITE[type(operator)]

            def swap(mine: ast.AST, place: int = place, other: type[ast.cmpop] = other) -> None:
                assert isinstance(mine, ast.Compare)
                mine.ops[place] = other()

            yield f"{type(operator).__name__} -> {other.__name__} in {ast.unparse(node)[:70]}", swap
    yield from _logic(node)
    yield from _values(node)


def _logic(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    if isinstance(node, ast.BoolOp):
        other_bool = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"-> {other_bool.__name__} in {ast.unparse(node)[:70]}", lambda mine: setattr(mine, "op", other_bool())
        for place, value in enumerate(node.values):

            def drop(mine: ast.AST, place: int = place) -> None:
                assert isinstance(mine, ast.BoolOp)
                del mine.values[place]
                if len(mine.values) == 1:
                    mine.values.append(mine.values[0])

            yield f"without {ast.unparse(value)[:60]} in {ast.unparse(node)[:50]}", drop
    if isinstance(node, (ast.If, ast.IfExp)) and ast.unparse(node.test) != "TYPE_CHECKING":
        negated = f"if not ({ast.unparse(node.test)[:70]})"
        yield negated, lambda mine: setattr(mine, "test", ast.UnaryOp(ast.Not(), mine.test))  # type: ignore[attr-defined]


def _values(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        better = _BETTER.get(node.value.id)
        if better is not None and node.attr != better:
            yield f"{node.value.id}.{node.attr} -> {better}", lambda mine: setattr(mine, "attr", better)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} -> {not node.value}", lambda mine: setattr(mine, "value", not node.value)
    if isinstance(node, ast.Return) and node.value is not None and not _is_nothing(node.value):
        yield (
            f"return None, not {ast.unparse(node.value)[:70]}",
            lambda mine: setattr(mine, "value", ast.Constant(None)),
        )
    if isinstance(node, ast.AugAssign):
        yield f"without {ast.unparse(node)[:70]}", lambda mine: setattr(mine, "value", ast.Tuple([], ast.Load()))


def _is_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def is_noticed(name: str, tree: ast.Module) -> bool:
    """Run the tests over one mutant in a fork; it is noticed if they fail, or do not end."""
    pid = os.fork()
    if pid == 0:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        module = importlib.import_module(name)
        exec(compile(tree, str(module.__file__), "exec"), module.__dict__)  # the mutant itself
        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(TESTS)]) != 0))
    for _ in range(MOST_S * 20):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status != 0
        time.sleep(0.05)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return True


def main() -> None:
    """Run every mutant, and list those that no test noticed."""
    sys.path[:0] = [str(ROOT / "tests"), str(TESTS)]
    made, alive = 0, []
    for name in sys.argv[1:] or MODULES:
        path = ROOT / (name.replace(".", "/") + ".py")
        assert not is_noticed(name, ast.parse(path.read_text(encoding="utf-8"))), "the tests fail without a mutant"
        for line, what, tree in mutants(ast.parse(path.read_text(encoding="utf-8"))):
            made += 1
            if not is_noticed(name, tree):
                alive.append(f"{path.name}:{line}: {what}")
                print(alive[-1], flush=True)
    print(f"{made} mutants, {made - len(alive)} noticed, {len(alive)} alive")


if __name__ == "__main__":
    main()
