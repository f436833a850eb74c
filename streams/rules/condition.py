"""
Conditions: CEL text, type-checked at load, evaluated by Python where it can be translated.

CEL stays the truth: it checks, it evaluates what is not translated, and it decides where the
translation raises.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cel_expr_python import cel

from streams.rules.catalogue import CATALOGUE
from streams.rules.checked import Node, Unsupported, read_checked, referenced
from streams.rules.clauses import split
from streams.rules.names import nearest
from streams.rules.translate import compile_source, to_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.records import Scope
    from streams.rules.catalogue import Value, Variable
    from streams.rules.clauses import Operator

Kind = Literal["bool", "int"]

_TYPES = {"int": cel.Type.INT, "double": cel.Type.DOUBLE, "string": cel.Type.STRING, "bool": cel.Type.BOOL}
_ENVIRONMENTS = {
    scope: cel.NewEnv(variables={name: _TYPES[variable.type] for name, variable in variables.items()})
    for scope, variables in CATALOGUE.items()
}
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_CONTAINER = " (in container '')"
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_MIXED = re.compile(r"'_[^']+_' applied to '\((?:double, int|int, double)\)'")


class Refused(ValueError):
    """CEL refused an expression; `line` is the line of the first error within it, from 0."""

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.line = line


class Condition:
    """One expression of a scope."""

    def __init__(self, text: str, scope: Scope) -> None:
        """Compile the text; raises `Refused` with every error CEL has, each with a caret."""
        self.text = text
        self._scope = scope
        self._catalogue = CATALOGUE[scope]
        try:
            self._cel = _ENVIRONMENTS[scope].compile(text)
        except RuntimeError as error:
            raise _refusal(str(error), text, scope) from error
        serialized = self._cel.serialize()
        self.tree: Node | None = None
        with suppress(Unsupported):
            self.tree = read_checked(serialized)
        found = referenced(serialized)
        self.variables: tuple[Variable, ...] = tuple(
            variable for name, variable in self._catalogue.items() if name in found
        )
        self._python = self._translate()

    @property
    def kind(self) -> str:
        """Name of the type of its value; `bool` makes it a condition."""
        return str(self._cel.return_type().name()).lower()

    @property
    def of_order(self) -> bool:
        """Whether it speaks of the order at hand."""
        return any(variable.of_order for variable in self.variables)

    def source(self, python_names: Mapping[str, str]) -> str | None:
        """Return the translation with these sources of variables, or None where CEL has to evaluate it."""
        try:
            return None if self.tree is None else to_source(self.tree, python_names)
        except Unsupported:
            return None

    def _translate(self) -> Callable[..., Any] | None:
        parameters = {variable.name: f"v{place}" for place, variable in enumerate(self.variables)}
        source = self.source(parameters)
        return None if source is None else compile_source(source, list(parameters.values()))

    def evaluate(self, values: Mapping[str, Value]) -> Any:
        """
        Return the value for these variables.

        Raises:
            ArithmeticError: CEL has no value for it, such as a division by zero.
        """
        if self._python is not None:
            try:
                return self._python(*(values[variable.name] for variable in self.variables))
            except ArithmeticError:
                pass
        return self.evaluate_cel(values)

    def evaluate_cel(self, values: Mapping[str, Value]) -> Any:
        """Return what CEL itself says; raises like `evaluate`."""
        value = self._cel.eval(data={variable.name: values[variable.name] for variable in self.variables})
        if value.type() == cel.Type.ERROR:
            raise ArithmeticError(str(value.plain_value()))
        return value.plain_value()

    def tree_of_clauses(self) -> ClauseTree:
        """Return the parts it is joined of, and theirs."""
        operator, parts = split(self.text)
        if operator is None:
            return ClauseTree(self, None, [])
        return ClauseTree(self, operator, [Condition(part, self._scope).tree_of_clauses() for part in parts])


class ClauseTree(NamedTuple):
    """A condition and what it is joined of."""

    condition: Condition
    operator: Operator | None
    parts: list[ClauseTree]


def _refusal(message: str, text: str, scope: Scope) -> Refused:
    """Return CEL's errors with their carets and a remedy for the common ones."""
    lines = text.splitlines() or [""]
    shown = []
    first = None
    for row, column, reason in _ERROR.findall(message):
        first = int(row) - 1 if first is None else first
        told = f"{reason.removesuffix(_CONTAINER)}{_remedy(reason, scope)}"
        shown.append(f"{told}\n    {lines[int(row) - 1]}\n    {' ' * (int(column) - 1)}^")
    return Refused("\n".join(shown) or message, first or 0)


def _remedy(reason: str, scope: Scope) -> str:
    undeclared = _UNDECLARED.search(reason)
    if undeclared:
        return nearest(undeclared[1], CATALOGUE[scope])
    if _MIXED.search(reason):
        return ": a double goes with a double, write 100.0 for 100, and double(x) for an int x"
    return ""
