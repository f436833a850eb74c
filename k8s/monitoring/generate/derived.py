"""Which files are derived, and from what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from k8s.monitoring.generate.dashboard import dashboard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER: Final = Path(__file__).parent.parent
ALERTS: Final = FOLDER / "alerts.yaml"

_HEAD = """\
# Made of alerts.yaml by `python -m k8s.monitoring.generate`: change that, not this.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: walletstream
  labels:
    app.kubernetes.io/name: walletstream
    app.kubernetes.io/part-of: walletstream
spec:
"""


def prometheusrule() -> str:
    """Return the rules as the Prometheus operator takes them."""
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))
    return _HEAD + "".join(
        f"  {line}\n" for line in yaml.safe_dump(groups, sort_keys=False, width=1_000, allow_unicode=True).splitlines()
    )


DERIVED: Final[Mapping[str, Callable[[], str]]] = {"dashboard.json": dashboard, "prometheusrule.yaml": prometheusrule}
"""What makes each file's text, by the file's name."""
