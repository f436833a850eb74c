"""Scenario files: switches and faults in YAML, with errors that name the place."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from connector.simulator.faults import Fault
from connector.simulator.settings import Switches


class InvalidScenario(Exception):
    """A scenario, fault or switch is not what it must be; the message names the field."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a scenario file says."""

    switches: dict[str, Any] = msgspec.field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def parse_scenario(text: str) -> Scenario:
    """
    Read a scenario file.

    Raises:
        InvalidScenario: not YAML, an unknown field, or a value out of range.
    """
    try:
        return msgspec.convert(yaml.safe_load(text) or {}, Scenario)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise InvalidScenario(str(error)) from error


def parse_fault(data: bytes) -> tuple[Fault, ...]:
    """Read one fault or a list of faults from JSON; raises `InvalidScenario`."""
    try:
        found = msgspec.json.decode(data, type=Fault | list[Fault])
    except msgspec.DecodeError as error:
        raise InvalidScenario(str(error)) from error
    return (found,) if isinstance(found, Fault) else tuple(found)


def with_switches(switches: Switches, changes: dict[str, Any]) -> Switches:
    """Return the switches with changes by name, values as JSON or as text; raises `InvalidScenario`."""
    try:
        return msgspec.convert(msgspec.structs.asdict(switches) | changes, Switches, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidScenario(f"switches: {error}") from error
