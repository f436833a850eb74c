"""
Type-checked CEL to Python source, for the part of CEL that rules mostly are.

The translation may raise where CEL absorbs an error (`x / 0 == 1 || true`), but when it yields a
value it is CEL's value: whoever evaluates it asks CEL itself after an exception. What could differ
without an exception (integer division and remainder, lists of doubles, regular expressions,
conversions from text) is not translated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from streams.rules.checked import Call, Constant, Items, Name, Node, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_INFIX: Final = {
    "logical_and": "and",
    "logical_or": "or",
    "equals": "==",
    "not_equals": "!=",
    **{f"less_{kind}": "<" for kind in ("int64", "double", "string")},
    **{f"less_equals_{kind}": "<=" for kind in ("int64", "double", "string")},
    **{f"greater_{kind}": ">" for kind in ("int64", "double", "string")},
    **{f"greater_equals_{kind}": ">=" for kind in ("int64", "double", "string")},
    "add_double": "+",
    "subtract_double": "-",
    "multiply_double": "*",
}
_SHAPES: Final = {
    "logical_not": "(not {0})",
    "conditional": "({1} if {0} else {2})",
    "negate_double": "(-{0})",
    "negate_int64": "int64(-{0})",
    "divide_double": "divide({0}, {1})",
    "add_int64": "int64({0} + {1})",
    "subtract_int64": "int64({0} - {1})",
    "multiply_int64": "int64({0} * {1})",
    "int64_to_double": "float({0})",
    "contains_string": "({1} in {0})",
    "starts_with_string": "{0}.startswith({1})",
    "ends_with_string": "{0}.endswith({1})",
    "string_size": "len({0})",
    "size_string": "len({0})",
}


def int64(value: int) -> int:
    """Return the value; raises OverflowError where CEL's integers end."""
    if -(1 << 63) <= value < 1 << 63:
        return value
    raise OverflowError


def divide(one: float, other: float) -> float:
    """Return the quotient as IEEE 754, and so CEL, has it: infinite, or no number, over zero."""
    try:
        return one / other
    except ZeroDivisionError:
        return math.nan if one == 0 or math.isnan(one) else math.copysign(math.inf, one) * math.copysign(1.0, other)


_GLOBALS: Final[dict[str, Any]] = {"__builtins__": {}, "int64": int64, "divide": divide, "float": float, "len": len}


def to_source(node: Node, variables: Mapping[str, str]) -> str:
    """
    Return a Python expression; `variables` gives the Python source of each variable.

    Raises:
        Unsupported: CEL itself has to evaluate it.
    """
    if isinstance(node, Constant):
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise Unsupported
        return repr(node.value)
    if isinstance(node, Name):
        if node.name not in variables:
            raise Unsupported
        return variables[node.name]
    if isinstance(node, Items):
        raise Unsupported
    if node.overload == "in_list":
        return _membership(node, variables)
    arguments = [to_source(argument, variables) for argument in node.arguments]
    if node.overload in _INFIX:
        return f"({arguments[0]} {_INFIX[node.overload]} {arguments[1]})"
    if node.overload in _SHAPES:
        return _SHAPES[node.overload].format(*arguments)
    raise Unsupported


def _membership(node: Call, variables: Mapping[str, str]) -> str:
    """Translate `x in [...]` of constants that compare alike in both languages."""
    wanted, items = node.arguments
    if not isinstance(items, Items):
        raise Unsupported
    values = [item.value for item in items.items if isinstance(item, Constant)]
    kinds = {type(value) for value in values}
    if len(values) != len(items.items) or float in kinds or len(kinds) > 1:
        raise Unsupported
    return f"({to_source(wanted, variables)} in {tuple(values)!r})"


def names(node: Node) -> set[str]:
    """Return the variables of an expression."""
    if isinstance(node, Name):
        return {node.name}
    parts = node.arguments if isinstance(node, Call) else node.items if isinstance(node, Items) else ()
    return set().union(*map(names, parts))


def compile_source(
    source: str, parameters: Sequence[str], functions: Mapping[str, Callable[..., Any]] | None = None
) -> Callable[..., Any]:
    """Return the function of a source that `to_source` made; `functions` are what its variables may call."""
    function: Callable[..., Any] = eval(  # noqa: S307  # made of constants by repr, our own shapes and our own names
        compile(f"lambda {', '.join(parameters)}: {source}", "<rules>", "eval"), {**_GLOBALS, **(functions or {})}
    )
    return function
