"""What a command writes to `rules.v1`, given what is in force. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from streams.rules.errors import InvalidChange
from streams.rules.names import nearest
from streams.rules.topic import SHADOW, encode_rule, rule_name, shadow_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.rules.active import Active
    from streams.rules.registry import Registry
    from streams.rules.rule import Rule


class Plan(NamedTuple):
    """Records to write as one batch, and a line about each rule for people."""

    records: dict[str, bytes | None]
    """By key; None: a tombstone."""
    lines: list[str]


def apply(registry: Registry, rules: Iterable[Rule], *, shadow: bool = False, prune: bool = False) -> Plan:
    """
    Return what makes the topic hold these rules: what differs, and with `prune` the removal of all others.

    With `shadow` all of it is about versions on trial beside those in force.

    Raises:
        InvalidChange: a rule would have two versions on trial.
    """
    wanted = {
        shadow_name(rule.id) if shadow else rule_name(rule): replace(rule, mode="SHADOW") if shadow else rule
        for rule in rules
    }
    faults = [fault for name, rule in wanted.items() if (fault := _two_on_trial(registry, name, rule)) is not None]
    if faults:
        raise InvalidChange("\n".join(faults))
    plan = Plan({}, [])
    for name, rule in wanted.items():
        _write(registry, name, rule, plan)
    if prune:
        for name in registry.topic_names():
            if name not in wanted and name.endswith(SHADOW) == shadow:
                _remove(registry, name, plan)
    return plan


def pause(registry: Registry, rule_id: str) -> Plan:
    """Return what switches a rule off; its alerts resolve. Raises `InvalidChange`."""
    rule = _known(registry, rule_id).rule
    if rule.mode == "PAUSED":
        raise InvalidChange(f"{rule_id} is paused already")
    if rule.is_shadow:
        raise InvalidChange(f"{rule_id} is in SHADOW, which notifies nobody: remove it instead")
    plan = Plan({}, [f"paused     {rule_id}  {rule.hash}"])
    plan.records[rule_id] = encode_rule(replace(rule, mode="PAUSED"))
    return plan


def resume(registry: Registry, rule_id: str) -> Plan:
    """Return what switches a paused rule on; one that is as in the file is left to the file. Raises `InvalidChange`."""
    rule = _known(registry, rule_id).rule
    if rule.mode != "PAUSED":
        raise InvalidChange(f"{rule_id} is not paused, it is {rule.mode}")
    plan = Plan({}, [f"resumed    {rule_id}  {rule.hash}"])
    file = registry.file.get(rule_id)
    as_in_file = file is not None and file.rule.mode != "PAUSED" and file.rule.hash == rule.hash
    plan.records[rule_id] = None if as_in_file else encode_rule(replace(rule, mode="ACTIVE"))
    return plan


def remove(registry: Registry, rule_id: str, *, shadow: bool = False) -> Plan:
    """Return what takes a rule, or its version on trial, from the topic. Raises `InvalidChange`."""
    name = shadow_name(rule_id) if shadow else rule_id
    held = [*registry.topic_names(), *(refused.name for refused in registry.refused())]
    if name not in held:
        if name in registry.file:
            raise InvalidChange(f"{name} is a rule of the workers' file: pause it, or take it out of the file")
        raise InvalidChange(f"the topic holds no rule {name}{nearest(name, held)}")
    plan = Plan({}, [])
    _remove(registry, name, plan)
    return plan


def promote(registry: Registry, rule_id: str) -> Plan:
    """Return what puts the version on trial in force, at once in place of the other. Raises `InvalidChange`."""
    trial = registry.topic_rule(shadow_name(rule_id))
    plan = Plan({}, [])
    if trial is not None:
        plan.records[shadow_name(rule_id)] = None
    else:
        trial = _known(registry, rule_id)
        if not trial.rule.is_shadow:
            raise InvalidChange(f"{rule_id} has no version in SHADOW: write one with rules apply FILE --shadow")
    plan.records[rule_id] = encode_rule(replace(trial.rule, mode="ACTIVE"))
    plan.lines.append(f"promoted   {rule_id}  {trial.rule.hash}")
    return plan


def _known(registry: Registry, rule_id: str) -> Active:
    ids = {known.name: known.active for known in registry.rules() if not known.name.endswith(SHADOW)}
    if rule_id not in ids:
        raise InvalidChange(f"there is no rule {rule_id}{nearest(rule_id, ids)}")
    return ids[rule_id]


def _two_on_trial(registry: Registry, name: str, rule: Rule) -> str | None:
    if name.endswith(SHADOW):
        beside = registry.topic_rule(rule.id) or registry.file.get(rule.id)
        if beside is not None and beside.rule.is_shadow:
            return f"{rule.id} itself is in SHADOW: apply it without --shadow, or promote it first"
    elif rule.is_shadow and registry.topic_rule(shadow_name(rule.id)) is not None:
        return f"{rule.id} has a version in SHADOW beside it: promote that, or remove it with --shadow, first"
    return None


def _write(registry: Registry, name: str, rule: Rule, plan: Plan) -> None:
    held = registry.topic_rule(name)
    if held is not None and held.rule == rule:
        plan.lines.append(f"unchanged  {name}  {rule.hash}")
        return
    plan.records[name] = encode_rule(rule)
    if held is None:
        over = ", in place of the file's" if name in registry.file else ""
        plan.lines.append(f"added      {name}  {rule.hash}  {rule.mode}{over}")
    else:
        plan.lines.append(f"changed    {name}  {_from_to(held.rule, rule)}")


def _from_to(old: Rule, new: Rule) -> str:
    hashes = new.hash if old.hash == new.hash else f"{old.hash} -> {new.hash}"
    return f"{hashes}  {new.mode if old.mode == new.mode else f'{old.mode} -> {new.mode}'}"


def _remove(registry: Registry, name: str, plan: Plan) -> None:
    plan.records[name] = None
    again = ", the file's version is in force again" if name in registry.file else ""
    plan.lines.append(f"removed    {name}{again}")
