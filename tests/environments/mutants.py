"""Changes one expression of the settings' rules at a time, and finds the changes that no test notices.

    python -m tests.environments.mutants [MODULE...]

A change is a mutant. If all tests in tests/environments pass with it, it survives: that rule, or a part of it, could
break in silence. Add a row to a table of the tests; or, if no settings can tell the mutant from the code, add it with
the reason to `equivalent_mutants.py`.

Prints the counts and the survivors. Exits with 1 if a survivor has no reason, or a reason has no survivor. This takes
some ten minutes on two cores, so it is not a test. MODULEs, such as `settings`, limit what is changed.
"""

import ast
import importlib
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from importlib.machinery import SourceFileLoader
from io import StringIO
from pathlib import Path
from types import CodeType
from typing import NamedTuple, cast

import pytest

from tests.environments.equivalent_mutants import EQUIVALENT

FOLDER = Path("environments")
WITHOUT_RULES = {"__init__", "dev", "production", "shared", "staging"}
TESTS = ["tests/environments", "--ignore=tests/environments/test_imports.py"]
PYTEST = ["-x", "-q", "-p", "no:cacheprovider", "-p", "syrupy", "--assert=plain", *TESTS]
PRELOADED = ("pydantic.main", "pydantic.functional_validators", "syrupy.extensions.json")
"""Modules that the settings and tests/conftest.py import. `environments` must not be among them."""

OTHER_OPERATORS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
OTHER_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add}
OTHER_FUNCTION = {"any": "all", "all": "any", "min": "max", "max": "min"}
NOTHING_READ = {"get": ast.Constant(None), "read": ast.Constant(...)}
"""What takes the place of a setting that is read, by the method of `CheckedValues` that reads it."""


class Mutation(NamedTuple):
    """An expression, what takes its place, and the class, function and keyword argument that it stands in."""

    old: ast.expr
    new: ast.expr
    scope: str

    def __str__(self) -> str:
        return f"{self.scope}: {ast.unparse(self.old)} -> {ast.unparse(self.new)}"


def find_mutations(node: ast.AST, scope: str) -> Iterator[Mutation]:
    """Yield every change of the code of rules. Docstrings, messages, descriptions and choices are left alone."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        scope = f"{scope}.{node.name}"
    elif isinstance(node, ast.keyword) and node.arg:
        scope = f"{scope}.{node.arg}"
    for field, value in ast.iter_fields(node):
        if field == "returns" or (field == "annotation" and isinstance(node, ast.arg)):
            continue
        for child in cast(list[object], value) if isinstance(value, list) else [cast(object, value)]:
            match child:
                case ast.Expr(ast.Constant()) | ast.keyword("description") | ast.Subscript(ast.Name("Literal")):
                    continue
                case ast.expr() if not isinstance(node, ast.JoinedStr):
                    if field in {"test", "ifs"} and not isinstance(child, ast.Compare | ast.UnaryOp):
                        yield Mutation(child, ast.UnaryOp(ast.Not(), child), scope)
                    yield from (Mutation(child, new, scope) for new in find_replacements(child))
                case _:
                    pass
            if isinstance(child, ast.AST):
                yield from find_mutations(child, scope)


def find_replacements(node: ast.expr) -> Iterator[ast.expr]:  # noqa: C901 - a case for each kind of expression
    """Yield what takes the place of an expression, one at a time."""
    match node:
        case ast.Compare(left, [operator], [right]):
            yield from (ast.Compare(left, [other()], [right]) for other in OTHER_OPERATORS[type(operator)])
        case ast.BoolOp(operator, values):
            both = isinstance(operator, ast.And)
            other = ast.Or() if both else ast.And()
            yield ast.BoolOp(other, values)
            for index, value in enumerate(values):  # as if this condition were not there
                neutral = ast.BoolOp(other, [value, ast.Constant(both)])
                yield ast.BoolOp(operator, [*values[:index], neutral, *values[index + 1 :]])
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, operator, right) if type(operator) in OTHER_ARITHMETIC:
            yield ast.BinOp(left, OTHER_ARITHMETIC[type(operator)](), right)
        case ast.Constant(value):
            yield from map(ast.Constant, find_other_values(value))
        case ast.Tuple(items) | ast.Set(items) if len(items) > 1 and all(isinstance(i, ast.Constant) for i in items):
            for index in range(len(items)):
                shorter = [*items[:index], *items[index + 1 :]]
                yield ast.Set(shorter) if isinstance(node, ast.Set) else ast.Tuple(shorter, ast.Load())
        case ast.Call(ast.Attribute(_, ("get" | "read") as method)):
            yield NOTHING_READ[method]
        case ast.Call(ast.Name(name), arguments, keywords) if name in OTHER_FUNCTION:
            yield ast.Call(ast.Name(OTHER_FUNCTION[name], ast.Load()), arguments, keywords)
        case _:
            pass


def find_other_values(value: object) -> Iterator[bool | float | str]:
    """Yield what takes the place of a literal: a path that is misspelt, a threshold that is one too high."""
    match value:
        case bool():
            yield not value
        case int() | float():
            yield from (value + 1, value - 1)
        case str():
            yield f"{value}x"
        case _:
            pass


def read_mutations(module: str) -> tuple[ast.Module, list[Mutation]]:
    """Return a module's syntax tree, and all changes of it. Their order is always the same."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    return tree, list(find_mutations(tree, module))


class Replacement(ast.NodeTransformer):
    """Makes a change in a syntax tree."""

    def __init__(self, change: Mutation) -> None:
        self.change = change

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the new expression for the old one, and every other node as it is."""
        return ast.copy_location(self.change.new, node) if node is self.change.old else self.generic_visit(node)


def import_mutant(module: str, number: int) -> None:
    """Make Python import this mutant in the place of the module. No file is written."""
    tree, changes = read_mutations(module)
    Replacement(changes[number]).visit(tree)
    mutant = compile(ast.fix_missing_locations(tree), f"{module}.py", "exec")
    get_code = SourceFileLoader.get_code

    def get_mutant(self: SourceFileLoader, fullname: str) -> CodeType | None:
        return mutant if fullname == f"{FOLDER}.{module}" else get_code(self, fullname)

    SourceFileLoader.get_code = get_mutant


def run_tests(mutant: tuple[str, int] | None) -> bool:
    """Return whether all tests pass, with this mutant if there is one. Call it in a new process, which it silences."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.dup2(silence, sys.stderr.fileno())
    if mutant:
        import_mutant(*mutant)
    return pytest.main(PYTEST) == pytest.ExitCode.OK


def preload() -> None:
    """Import once what every test run needs, except the settings and their tests, to save half of the time."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in PRELOADED:
        importlib.import_module(name)
    with redirect_stdout(StringIO()):
        pytest.main(["--version"])  # imports pytest's own plugins


def main(names: Sequence[str]) -> int:
    """Try every mutant of these modules, or of all modules that hold rules; return the exit code."""
    modules = names or sorted({file.stem for file in FOLDER.glob("*.py")} - WITHOUT_RULES)
    mutants = {
        (module, number): change for module in modules for number, change in enumerate(read_mutations(module)[1])
    }
    survivors: list[str] = []
    preload()
    with multiprocessing.get_context("fork").Pool(maxtasksperchild=1) as pool:
        if not pool.apply(run_tests, (None,)):
            sys.exit("The tests fail without any change.")
        for count, (mutant, survives) in enumerate(zip(mutants, pool.imap(run_tests, mutants), strict=True), 1):
            change = mutants[mutant]
            if survives:
                survivors.append(f"{change}")
            if survives and f"{change}" not in EQUIVALENT:
                print(f"survives: {FOLDER}/{mutant[0]}.py:{change.old.lineno}: {change}", flush=True)
            if count % 100 == 0:
                print(f"{count} of {len(mutants)}", file=sys.stderr)
    unexplained = [text for text in survivors if text not in EQUIVALENT]
    stale = [text for text in EQUIVALENT if text.startswith(tuple(modules)) and text not in survivors]
    for text in stale:
        print(f"has a reason, but does not survive: {text}")
    print(f"{len(mutants)} mutants, {len(survivors)} survive, {len(unexplained)} of them without a reason.")
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
