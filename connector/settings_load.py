"""Loading of the settings, with every fault at once: variable, value, remedy."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from connector.contract.checks import shown
from connector.errors import SettingsError
from connector.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_VARIABLES = {name.upper(): name for name in Settings.model_fields}


def load(env_file: Path | None = None) -> Settings:
    """
    Return the settings.

    Args:
        env_file: A file of `NAME=value` lines; it may be absent.

    Raises:
        SettingsError: with one line per fault; it never shows the key.
    """
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]  # an argument of the base class
    except ValidationError as error:
        given = {**(dotenv_values(env_file) if env_file else {}), **os.environ}
        raise SettingsError(faults(error.errors(include_url=False, include_input=False), given)) from None


def faults(errors: Iterable[Mapping[str, Any]], given: Mapping[str, str | None]) -> str:
    """Return one line per fault; `given` holds the variables as they were set."""
    values = {name.upper(): value for name, value in given.items()}
    return "\n".join(_line(error, values) for error in errors)


def _line(error: Mapping[str, Any], values: Mapping[str, str | None]) -> str:
    variable = str(error["loc"][0]).upper() if error["loc"] else "settings"
    field = Settings.model_fields.get(_VARIABLES.get(variable, ""))
    value = values.get(variable)
    secret = field is not None and field.annotation is SecretStr
    said = "not set" if value is None else "'***'" if secret else shown(value)
    remedy = f"set {variable} to {field.description}" if field and field.description else f"correct {variable}"
    return f"{variable} ({said}): {error['msg']}. Remedy: {remedy}.{_hint(variable, values) if value is None else ''}"


def _hint(variable: str, values: Mapping[str, str | None]) -> str:
    unknown = [name for name in values if name not in _VARIABLES]
    close = difflib.get_close_matches(variable, unknown, n=1, cutoff=0.8)
    return f" {close[0]} is set: is it misspelt?" if close else ""


def manual() -> str:
    """Return one paragraph per variable, for `--help`."""
    return "\n".join(
        f"  {variable:<19}{Settings.model_fields[name].description}{_default(name)}"
        for variable, name in _VARIABLES.items()
    )


def _default(name: str) -> str:
    default = Settings.model_fields[name].default
    return f" [{default}]" if isinstance(default, str | int | float) and default != "" else ""
