"""Reads YAML with its lines: mappings with known keys, and plain values. Readers of values raise ValueError."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from streams.durations import DURATION, UNITS_MS
from streams.rules.errors import Fault
from streams.rules.names import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Read = Callable[[yaml.Node], Any]
    """Returns the value of a node; raises ValueError with what was expected."""

_TIME = re.compile(rf"(?:{DURATION.pattern})+", re.ASCII)
_NULL: Final = "tag:yaml.org,2002:null"


class Reader:
    """Reads one document and gathers what is wrong with it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def compose(self, text: str, *, expected: str) -> yaml.Node | None:
        """Return the root of a document; None where it is no YAML, or holds nothing where `expected` should be."""
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:  # of marks: syntax; others: characters that no document may hold
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or str(error)
            self.faults.append(Fault(mark.line + 1 if mark else 1, "document", f"no YAML: {problem}"))
            return None
        if root is None:
            self.faults.append(Fault(1, "document", f"expected {expected}, and it is empty"))
        return root

    def fault(self, node: yaml.Node, name: str, text: str) -> None:
        """Take note of something wrong."""
        self.faults.append(Fault(line_of(node), name, text))

    def mapping(
        self, node: yaml.Node, name: str, known: Mapping[str, Read], *, required: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return the values by key of those that could be read."""
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, name, f"expected a mapping with {', '.join(required or known)}")
            return {}
        values: dict[str, Any] = {}
        given: dict[str, int] = {}
        for key_node, value in node.value:
            key = str(key_node.value)
            if key in given:  # YAML would take the last, and say nothing
                self.fault(key_node, name, f"{key} is given twice, first on line {given[key]}")
            given.setdefault(key, line_of(key_node))
            if key not in known:
                self.fault(key_node, name, f"unknown key {key}{nearest(key, known)}")
                continue
            try:
                values[key] = known[key](value)
            except ValueError as error:
                self.fault(value, name, f"{key}: {error}")
        for key in required:
            if key not in given:
                self.fault(node, name, f"{key} is missing")
        return values


def line_of(node: yaml.Node) -> int:
    """Return the line, from 1, on which a node begins."""
    return int(node.start_mark.line) + 1


def fields_of(node: yaml.Node) -> dict[str, yaml.Node]:
    """Return the nodes of a mapping by key; none of anything else."""
    return {str(key.value): value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def itself(node: yaml.Node) -> yaml.Node:
    """Return a node that somebody else reads."""
    return node


def items(node: yaml.Node) -> list[yaml.Node]:
    """Read a list."""
    if not isinstance(node, yaml.SequenceNode):
        raise ValueError("expected a list")  # noqa: TRY004  # what all readers raise
    return list(node.value)


def text(node: yaml.Node) -> str:
    """Read a text that is not empty."""
    if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL or not node.value.strip():
        raise ValueError("expected a text")
    return str(node.value).strip()


def optional_text(node: yaml.Node) -> str | None:
    """Read a text, or null."""
    return None if isinstance(node, yaml.ScalarNode) and node.tag == _NULL else text(node)


def texts(node: yaml.Node) -> tuple[str, ...]:
    """Read a list of texts."""
    return tuple(map(text, items(node)))


def named_texts(node: yaml.Node) -> dict[str, str]:
    """Read names with texts."""
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("expected names and texts such as {team: desk}")  # noqa: TRY004  # what all readers raise
    return {str(key.value): text(value) for key, value in node.value}


def scalars(node: yaml.Node) -> dict[str, Any]:
    """Read names with plain values."""
    if not isinstance(node, yaml.MappingNode):
        raise ValueError("expected names and values such as {wallet.w1m.orders: 20}")  # noqa: TRY004  # what all readers raise
    return {str(key.value): _plain(value) for key, value in node.value}


def _plain(node: yaml.Node) -> Any:
    try:
        return yaml.safe_load(yaml.serialize(node))
    except yaml.YAMLError as error:
        raise ValueError(f"expected a plain value, got {node.tag}") from error


def one_of(*allowed: str) -> Read:
    """Return a reader of some words."""

    def read(node: yaml.Node) -> str:
        found = text(node)
        if found not in allowed:
            raise ValueError(f"expected {' | '.join(allowed)}, got {found!r}")
        return found

    return read


def number(*, above: float, up_to: float) -> Read:
    """Return a reader of numbers."""

    def read(node: yaml.Node) -> float:
        found = text(node)
        try:
            value = float(found)
        except ValueError:
            raise ValueError(f"expected a number, got {found!r}") from None
        if not above < value <= up_to:
            raise ValueError(f"expected a number above {above:g}, up to {up_to:g}, got {found}")
        return value

    return read


def time_ms(node: yaml.Node) -> int:
    """Read a time such as `90s`, `1h30m` or `0s`."""
    return parse_time_ms(text(node))


def parse_time_ms(written: str) -> int:
    """Return milliseconds of a time such as `1h30m`; ValueError where it is none."""
    if written == "0":
        return 0
    if not _TIME.fullmatch(written):
        raise ValueError(f"expected whole numbers and units (ms, s, m, h, d) such as 30s or 1h30m, got {written!r}")
    return sum(int(count) * UNITS_MS[unit] for count, unit in DURATION.findall(written))
