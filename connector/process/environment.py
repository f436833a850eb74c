"""Loading of settings, with every fault at once: variable, value, remedy."""

from __future__ import annotations

import difflib
import inspect
import os
from typing import TYPE_CHECKING, Any, TypeVar

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from connector.contract.checks import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic_settings import BaseSettings

S = TypeVar("S", bound="BaseSettings")


class SettingsError(Exception):
    """Settings are missing or wrong; the message holds every fault and its remedy, and never a secret."""


def fault(problem: str) -> PydanticCustomError:
    """Return the error that a validator raises; `load` adds variable, value and remedy."""
    return PydanticCustomError("setting", "{problem}", {"problem": problem})


def load(kind: type[S], env_file: Path | None = None) -> S:
    """
    Return settings of `kind`; each field is a variable of the same name in upper case.

    Args:
        kind: A settings class whose fields' descriptions say what to set them to. Values of a `SecretStr` and of a
            field with `repr=False` are not shown in faults.
        env_file: A file of `NAME=value` lines; it may be absent. The environment wins.

    Raises:
        SettingsError: with one line per fault, or of the file that cannot be read.
    """
    try:
        return kind(_env_file=env_file)
    except ValidationError as error:
        given = {**(dotenv_values(env_file) if env_file else {}), **os.environ}
        raise SettingsError(_faults(kind, error.errors(include_url=False, include_input=False), given)) from None
    except (OSError, UnicodeDecodeError) as error:
        name = getattr(error, "filename", None) or env_file
        raise SettingsError(f"{name}: is no text file that can be read ({type(error).__name__})") from None


def manual(kind: type[BaseSettings]) -> str:
    """Return one line per variable, for `--help`; those of Kafka, which several programs share, come last."""
    bases = [each for each in kind.__mro__ if each.__module__.startswith("connector.kafka")]
    shared = {name for each in bases for name in inspect.get_annotations(each)}
    fields = sorted(kind.model_fields.items(), key=lambda item: item[0] in shared)
    width = max(len(name) for name, _ in fields) + 1
    return "\n".join(f"  {name.upper():<{width}}{field.description}{_default(field.default)}" for name, field in fields)


def _default(default: object) -> str:
    return f" [{default}]" if isinstance(default, str | int | float) and default != "" else ""


def _faults(kind: type[BaseSettings], errors: Iterable[Mapping[str, Any]], given: Mapping[str, str | None]) -> str:
    values = {name.upper(): value for name, value in given.items()}
    return "\n".join(_line(kind, error, values) for error in errors)


def _line(kind: type[BaseSettings], error: Mapping[str, Any], values: Mapping[str, str | None]) -> str:
    variable = str(error["loc"][0]).upper() if error["loc"] else "settings"
    field = kind.model_fields.get(variable.lower())
    value = values.get(variable)
    secret = field is not None and (field.annotation is SecretStr or not field.repr)
    said = "not set" if value is None else "'***'" if secret else shown(value)
    remedy = f"set {variable} to {field.description}" if field and field.description else f"correct {variable}"
    hint = _hint(kind, variable, values) if value is None else ""
    return f"{variable} ({said}): {error['msg']}. Remedy: {remedy}.{hint}"


def _hint(kind: type[BaseSettings], variable: str, values: Mapping[str, str | None]) -> str:
    unknown = [name for name in values if name.lower() not in kind.model_fields]
    close = difflib.get_close_matches(variable, unknown, n=1, cutoff=0.8)
    return f" {close[0]} is set: is it misspelt?" if close else ""
