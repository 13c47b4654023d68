"""What import-linter cannot see: imports that wait inside functions, who prints, and arithmetic in ``ops/kinds/``.

The order of the rooms is a contract in ``pyproject.toml`` (``lint-imports``). Here the syntax trees are read.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "convcalc"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"dask", "distributed", "keras", "numpy", "onnx", "pandas", "polars", "pyarrow", "resvg_py", "sympy", "torch"}
PRINTERS = {"print", "sys.stdout", "sys.stderr"}
LONGEST_MODULE = 300
MOST_MODULES = 14
PLUG_INS = {"cli/commands", "ops/kinds", "profiles", "render/formats"}
"""Folders that are walked for their files: as many as there are commands, ops, tools and formats."""


def module_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


every_module = pytest.mark.parametrize("path", MODULES, ids=module_id)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


# --- imports and printing ---------------------------------------------------------------------------------------------


def imports_at_load(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, module) of every import that runs when the module is loaded: not in functions, not for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            yield from imports_at_load(ast.Module(node.orelse, []))
            continue
        yield from imported(node)
        yield from imports_at_load(node)


def imports_anywhere(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        yield from imported(node)


def imported(node: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that an import statement may load: the module and each name, as a submodule."""
    if isinstance(node, ast.Import):
        yield from ((node.lineno, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.lineno, node.module
        yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def package(name: str) -> str:
    return name.partition(".")[0]


def prints(tree: ast.AST) -> Iterator[int]:
    """Lines that name ``print`` or a standard stream to write to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in PRINTERS:
            yield node.lineno


@every_module
def test_heavy_packages_wait_until_they_are_needed(path: Path) -> None:
    allowed = {"sympy"} if path == PACKAGE / "arith" / "symbols.py" else set()
    names = {(line, package(name)) for line, name in imports_at_load(parsed(path))}
    assert [(line, name) for line, name in sorted(names) if name in HEAVY - allowed] == []


@every_module
def test_symbols_wait_until_they_are_needed(path: Path) -> None:
    assert [line for line, name in imports_at_load(parsed(path)) if name == "convcalc.arith.symbols"] == []


@every_module
def test_rich_and_click_stay_at_home(path: Path) -> None:
    at_home = {
        "rich": path == PACKAGE / "render" / "tables" / "rich_console.py",
        "click": PACKAGE / "cli" in path.parents,
    }
    names = {(line, package(name)) for line, name in imports_anywhere(parsed(path))}
    assert [(line, name) for line, name in sorted(names) if not at_home.get(name, True)] == []


@pytest.mark.parametrize("path", [path for path in MODULES if PACKAGE / "cli" not in path.parents], ids=module_id)
def test_only_the_command_line_prints(path: Path) -> None:
    assert list(prints(parsed(path))) == []


@every_module
def test_rooms_are_imported_by_their_names(path: Path) -> None:
    """``from convcalc import load`` would reach every room through the package, past the contract."""
    names = [name for _, name in imports_anywhere(parsed(path)) if package(name) == "convcalc" and name.count(".") == 1]
    assert [name for name in names if not is_room(name) and name != "convcalc.__version__"] == []


def is_room(name: str) -> bool:
    inside = ROOT.joinpath(*name.split("."))
    return inside.with_suffix(".py").is_file() or inside.is_dir()


def test_an_import_at_load_is_told_from_one_that_waits() -> None:
    code = """
import a
from b.c import d
try:
    import e
except ImportError:
    pass
if TYPE_CHECKING:
    import only_types
else:
    import f
class C:
    import g
    def method(self): import waits
def function():
    import waits
"""
    assert [name for _, name in imports_at_load(ast.parse(code))] == ["a", "b.c", "b.c.d", "e", "f", "g"]


def test_printing_is_seen() -> None:
    assert set(prints(ast.parse("print(1)\nsys.stderr.write('')\nlog = print\nx.print()"))) == {1, 2, 3}


# --- size and names ---------------------------------------------------------------------------------------------------


@every_module
def test_a_module_can_be_read_in_one_go(path: Path) -> None:
    length = len(path.read_text(encoding="utf-8").splitlines())
    assert length <= LONGEST_MODULE, "is there a second room in it?"


def test_a_folder_can_be_taken_in_at_a_glance() -> None:
    sizes = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    crowded = {folder.relative_to(PACKAGE).as_posix() for folder, size in sizes.items() if size > MOST_MODULES}
    assert crowded == PLUG_INS


@every_module
def test_a_module_is_named_after_what_it_is(path: Path) -> None:
    assert path.stem.strip("_") not in {"common", "helper", "helpers", "misc", "util", "utils"}


# --- arithmetic in ops ------------------------------------------------------------------------------------------------

OPERATORS = {ast.FloorDiv: "//", ast.Div: "/", ast.Mod: "%", ast.Pow: "**", ast.LShift: "<<", ast.RShift: ">>"}
FUNCTIONS = {"abs", "divmod", "float", "int", "max", "min", "pow", "round"}
NUMBER_MODULES = {"math", "numpy", "operator", "statistics", "sympy"}
PLAIN = {"int", "bool", "int | None", "ClassVar[int]", "ClassVar[bool]"}


class SizeArithmetic(ast.NodeVisitor):
    """Finds in an op what would only work on ints, where formulas must also run on arrays and symbols.

    Free are ``+ - *`` and whatever asks for structure: ``is None``, ``isinstance``, flags, text, ``len()``, ranks, and
    what the file annotates as ``int`` (a size is a ``Number``). Refused are other operators, functions that ask for a
    number's value or order, loops as long as a size, and every place that asks whether a relation between numbers is
    true. ``arith`` has a door for each of them. Two names compared by ``==`` pass: only their types could tell.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[tuple[int, str]] = []
        self.plain = {name for node in ast.walk(tree) for name in annotated_plain(node)}
        self.visit(tree)

    @classmethod
    def of(cls, code: str) -> list[str]:
        """What is refused in this code, as ``line: construct``."""
        return [f"{line}: {what}" for line, what in sorted(cls(ast.parse(code)).found)]

    def refuse(self, node: ast.expr | ast.stmt, what: str) -> None:
        self.found.append((node.lineno, what))

    def refuse_truth(self, test: ast.expr, where: str) -> None:
        """Refuse a truth that is asked of a number, or of a relation between numbers."""
        for node in unsettled(test):
            if isinstance(node, ast.BinOp) or not self.decided(node):
                self.refuse(node, f"{where}: {ast.unparse(node)}")

    def decided(self, node: ast.Compare) -> bool:
        """Whether the answer is known on every kind of number: identity, structure with structure, or with text."""
        sides = [node.left, *node.comparators]
        if all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops) or all(map(self.structural, sides)):
            return True
        if any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops):
            return False
        return not any(isinstance(side, ast.BinOp) or holds_a_number(side) for side in sides)

    def structural(self, node: ast.expr) -> bool:
        """Whether this is a plain int on every kind of number: a literal, a length, a rank, an axis, a sum of these."""
        match node:
            case ast.Constant(value=int()):
                return True
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return name == "rank" or name in self.plain
            case ast.Call(func=ast.Name(id="len") | ast.Attribute(attr="axis" | "count")):
                return True
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
                return self.structural(left) and self.structural(right)
            case ast.UnaryOp(operand=operand):
                return self.structural(operand)
        return False

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.refuse_operator(node, node.op)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.refuse_operator(node, node.op)

    def refuse_operator(self, node: ast.BinOp | ast.AugAssign, operator: ast.operator) -> None:
        if type(operator) in OPERATORS:
            self.refuse(node, OPERATORS[type(operator)])
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func)
        called = {name, ast.unparse(node.args[0])} if name == "map" and node.args else {name}
        for function in FUNCTIONS & called:
            self.refuse(node, f"{function}()")
        if name == "range" and not all(map(self.structural, node.args)):
            self.refuse(node, "range() over a size")
        if name in {"all", "any", "bool"}:
            for argument in node.args:
                self.refuse_truth(argument, f"{name}()")
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.refuse_import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.refuse_import(node)

    def refuse_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name in {package(name) for _, name in imported(node)} & NUMBER_MODULES:
            self.refuse(node, f"import of {name}")

    def visit_If(self, node: ast.If) -> None:
        self.refuse_truth(node.test, "if")
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.refuse_truth(node.test, "if … else")
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self.refuse_truth(node.test, "while")
        self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.refuse_truth(node.test, "assert")
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.refuse_truth(test, "if in a comprehension")
        self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard:
            self.refuse_truth(node.guard, "guard")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for value in node.values:
            if isinstance(node.op, ast.And) and asks_for_kind(value):
                break  # what follows is only asked of plain values
            self.refuse_truth(value, "and" if isinstance(node.op, ast.And) else "or")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self.refuse_truth(node.operand, "not")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        if len(node.ops) > 1 and not self.decided(node):
            self.refuse(node, "chained comparison")
        self.generic_visit(node)


def annotated_plain(node: ast.AST) -> Iterator[str]:
    """Names of fields, variables and parameters that are annotated as plain ints or flags."""
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) in PLAIN:
        yield ast.unparse(node.target)
    elif isinstance(node, ast.arg) and node.annotation and ast.unparse(node.annotation) in PLAIN:
        yield node.arg


def unsettled(test: ast.expr) -> Iterator[ast.Compare | ast.BinOp]:
    """The relations and results whose truth decides a test, but for those under ``and`` and ``or``: visited as such."""
    if isinstance(test, ast.Compare | ast.BinOp):
        yield test
    elif isinstance(test, ast.GeneratorExp | ast.ListComp):
        yield from unsettled(test.elt)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return  # visited as such
    elif isinstance(test, ast.NamedExpr):
        yield from unsettled(test.value)


def holds_a_number(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Constant) and type(part.value) in {int, float} for part in ast.walk(node))


def asks_for_kind(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"isinstance", "is_plain"}


READERS = {"__init__.py", "arguments.py", "make.py", "value_text.py"}
"""Files that bind what was written to arguments, before it is a size."""
OPS = [path for path in sorted((PACKAGE / "ops").rglob("*.py")) if path.name not in READERS]


@pytest.mark.parametrize("path", OPS, ids=module_id)
def test_an_op_leaves_arithmetic_to_the_door_for_numbers(path: Path) -> None:
    assert SizeArithmetic.of(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("h // 2", "//"),
        ("h / 2", "/"),
        ("h % 2", "%"),
        ("h ** 2", "**"),
        ("h << 1", "<<"),
        ("h >> 1", ">>"),
        ("h //= 2", "//"),
        ("h %= 2", "%"),
        ("max(h, 0)", "max()"),
        ("min(h, w)", "min()"),
        ("int(h)", "int()"),
        ("float(h)", "float()"),
        ("round(h)", "round()"),
        ("abs(h)", "abs()"),
        ("divmod(h, 2)", "divmod()"),
        ("pow(h, 2)", "pow()"),
        ("tuple(map(int, sizes))", "int()"),
        ("import math", "import of math"),
        ("from math import prod", "import of math"),
        ("import numpy as np", "import of numpy"),
        ("range(h)", "range() over a size"),
        ("if h > 2: pass", "if: h > 2"),
        ("if h == 1: pass", "if: h == 1"),
        ("if h in (1, 2): pass", "if: h in (1, 2)"),
        ("if h - 1: pass", "if: h - 1"),
        ("if bias and h >= 2: pass", "and: h >= 2"),
        ("if not h < 2: pass", "not: h < 2"),
        ("1 if h <= 2 else 3", "if … else: h <= 2"),
        ("while h > 1: pass", "while: h > 1"),
        ("assert h > 1", "assert: h > 1"),
        ("[h for h in sizes if h > 1]", "if in a comprehension: h > 1"),
        ("all(h > 1 for h in sizes)", "all(): h > 1"),
        ("any(h == 1 for h in sizes)", "any(): h == 1"),
        ("require(a == 1 or b < 2, 'x')", "or: b < 2"),
        ("require(0 < h < 2, 'x')", "chained comparison"),
        ("def f(h: Number): return 1 if h > 0 else 2", "if … else: h > 0"),
        ("if (wide := h > 2): pass", "if: h > 2"),
        ("match x:\n    case 1 if h > 2: pass", "guard: h > 2"),
    ],
)
def test_the_check_refuses(code: str, refused: str) -> None:
    assert refused in [text.partition(": ")[2] for text in SizeArithmetic.of(code)]


@pytest.mark.parametrize(
    "code",
    [
        "h * w + c - 1",
        "h *= 2",
        "x: int | None = None",
        "if bias: pass",
        "if act is None: pass",
        "if mode == 'same': pass",
        "if mode != other: pass",
        "if mode in ('same', 'half'): pass",
        "if mode not in MODES: pass",
        "if isinstance(padding, str): pass",
        "if len(shape) == 2: pass",
        "if shape.rank > 1 and bias: pass",
        "1 if len(sizes) >= rank - 1 else 2",
        "range(len(shape))",
        "range(1, shape.rank + 1)",
        "require(h > 2, 'x')",
        "require(less_equal(h, w), 'x')",
        "floordiv(h, 2)",
        "[k for k in kinds if k]",
        "sum(sizes)",
        "if isinstance(h, int) and h == -1: pass",
        "if x.axis(axis) != x.rank - 1: pass",
        "if (kernel_size is None) == (size is None): pass",
        "if [a, b].count(True) != 1: pass",
        "layers: int\nfor i in range(1, layers + 1): pass",
        "def f(axis: int): return 1 if axis > 0 else 2",
    ],
)
def test_the_check_lets_pass(code: str) -> None:
    assert SizeArithmetic.of(code) == []


def test_the_check_names_the_line() -> None:
    assert SizeArithmetic.of("a = 1\nb = h // 2\nc = h % 2\n") == ["2: //", "3: %"]
