"""Every dialect, by its name, for the tests of what holds in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.dialects.dome import Dome
from connector.dialects.predexon import Predexon

if TYPE_CHECKING:
    from connector.dialects import Dialect

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (Dome(), Predexon())}
