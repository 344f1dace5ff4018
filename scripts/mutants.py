"""The mutants of a module: small changes of its syntax tree that a test should notice.

Left alone: annotations, docstrings, decorators, the texts of errors and evidence, and what only type checkers run.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
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
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.Mod: ast.Mult,
}
_CALLED = {"any": "all", "all": "any", "max": "min", "min": "max", "endswith": "startswith", "startswith": "endswith"}
_REFUSE = {"refuse", "_refuse", "_refuse_environment", "require_owner", "require_distinct"}
_SAID = {"RefusedError", "MalformedError", "MisuseError", "Evidence", "passed", "refused", "require_seal", *_REFUSE}
"""Calls whose texts are for people."""


@dataclass(frozen=True)
class Mutant:
    """``name`` is the same as long as its function is: ``module.py function: before -> after``, with #n if needed."""

    name: str
    original: ast.Module
    path: "Path"
    change: ast.AST

    def tree(self) -> ast.Module:
        """The module with the change."""
        mutated = copy.deepcopy(self.original)
        _put(mutated, self.path, self.change)
        return ast.fix_missing_locations(mutated)


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every mutant of the module, in the order of its source."""
    tree = ast.parse(source)
    seen: dict[str, int] = {}
    for function, path in _sites(tree):
        node = _at(tree, path)
        for change in _changes(node):
            name = f"{file} {function}: {_described(node, change)}"
            seen[name] = seen.get(name, 0) + 1
            suffix = f" #{seen[name]}" if seen[name] > 1 else ""
            yield Mutant(name + suffix, tree, path, change)


Path = tuple[tuple[str, int | None], ...]


def _sites(tree: ast.Module) -> Iterator[tuple[str, Path]]:
    """Every node that may change: the function or class that it is in, and how to get there."""
    waiting: list[tuple[ast.AST, str, Path]] = [(tree, "", ())]
    while waiting:
        node, function, path = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}".lstrip(".")
        if path:
            yield function or "<module>", path
        waiting.extend(reversed([(child, function, (*path, step)) for child, step in _children(node)]))


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, tuple[str, int | None]]]:
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "bases", "ctx", "op", "ops"}:
            continue
        for place, item in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(item, ast.AST) and not _is_left_alone(node, item):
                yield item, (name, place)


def _is_left_alone(parent: ast.AST, node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # docstrings
    if isinstance(parent, ast.Assign) and "TypeVar" in ast.unparse(parent):
        return True
    if isinstance(parent, ast.Dict) and isinstance(node, ast.Constant) and len(parent.keys) > 20:
        return True  # a table of data: its entries may go, one by one
    if isinstance(parent, ast.Assign | ast.AnnAssign) and isinstance(node, ast.Subscript | ast.BinOp):
        return _is_type(node)
    return isinstance(parent, ast.Call | ast.keyword) and _is_said(parent, node)


def _is_type(node: ast.AST) -> bool:
    """An alias such as ``Mapping[str, int]`` or ``Root | Targets``."""
    names = [item.id for item in ast.walk(node) if isinstance(item, ast.Name)]
    return not any(isinstance(item, ast.Call) for item in ast.walk(node)) and all(
        name[0].isupper() or name in {"str", "int", "dict", "tuple", "bytes"} for name in names
    )


def _is_said(parent: ast.AST, node: ast.AST) -> bool:
    called = _name(parent.func) if isinstance(parent, ast.Call) else ""
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    if isinstance(parent, ast.keyword):
        return parent.arg in {"expected", "got", "hint"}
    return called == "field" or (called in _SAID and (text or isinstance(node, ast.BinOp | ast.IfExp)))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in place of one node."""
    yield from _changes_of_statement(node)
    yield from _changes_of_operator(node)
    yield from _without_one(node)
    match node:
        case ast.Call(func=func) if _name(func) in _CALLED:
            renamed = _with(func, **{"id" if isinstance(func, ast.Name) else "attr": _CALLED[_name(func)]})
            yield _with(node, func=renamed)
        case ast.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case ast.comprehension(ifs=[_, *_]):
            yield _with(node, ifs=[])
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(number)):
            yield ast.Constant(number + 1)
        case ast.Constant(value=str(text)) if " " not in text:  # a text with spaces is for people
            yield ast.Constant(text + "X")


def _changes_of_operator(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]):
            for compared in _COMPARE[type(op)]:
                yield _with(node, ops=[compared()])
        case ast.BoolOp(op=joined, values=values):
            yield _with(node, op=ast.Or() if isinstance(joined, ast.And) else ast.And())
            yield from (_with(node, values=[*values[:i], *values[i + 1 :]]) for i in range(len(values)))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(op=combined) if type(combined) in _BINARY:
            yield _with(node, op=_BINARY[type(combined)]())


def _without_one(node: ast.AST) -> Iterator[ast.AST]:
    """A table, list or set that lacks one of its items."""
    match node:
        case ast.Dict(keys=keys, values=values):
            for i in range(len(keys)):
                yield _with(node, keys=[*keys[:i], *keys[i + 1 :]], values=[*values[:i], *values[i + 1 :]])
        case ast.Tuple(elts=elts, ctx=ast.Load()) | ast.List(elts=elts, ctx=ast.Load()) | ast.Set(elts=elts):
            for i in range(len(elts)):
                if len(elts) > 1 or not isinstance(node, ast.Set):
                    yield _with(node, elts=[*elts[:i], *elts[i + 1 :]])


def _changes_of_statement(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Raise() | ast.Expr() | ast.AugAssign() | ast.Delete():
            yield ast.Pass()
        case ast.If(test=test) | ast.While(test=test):
            for value in (True, False) if isinstance(node, ast.If) else (False,):
                if not (isinstance(test, ast.Constant) and test.value is value):
                    yield _with(node, test=ast.Constant(value))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield _with(node, value=ast.Constant(None))
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _at(tree: ast.AST, path: Path) -> ast.AST:
    node: ast.AST = tree
    for name, place in path:
        value = getattr(node, name)
        node = value if place is None else value[place]
    return node


def _put(tree: ast.AST, path: Path, new: ast.AST) -> None:
    parent = _at(tree, path[:-1])
    name, place = path[-1]
    if place is None:
        setattr(parent, name, copy.deepcopy(new))
    else:
        getattr(parent, name)[place] = copy.deepcopy(new)


def _described(node: ast.AST, change: ast.AST) -> str:
    items = {id(item): item for item in ast.iter_child_nodes(node)}
    gone = [item for item in items.values() if id(item) not in {id(rest) for rest in ast.iter_child_nodes(change)}]
    if type(node) is type(change) and isinstance(node, ast.Dict | ast.Tuple | ast.List | ast.Set | ast.BoolOp) and gone:
        return f"{_text(node)[:60]} without {_text(gone[0])}"
    return f"{_text(node)} -> {_text(change)}"


def _text(node: ast.AST) -> str:
    """One line of at most 90 characters."""
    if isinstance(node, ast.If | ast.While):
        return f"if {ast.unparse(node.test)[:80]}"
    return " ".join(ast.unparse(node).split())[:90]
