"""The generated files and what has to be in them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from connector.contract.topics import CONNECTOR_TOPICS
from k8s.generate.topics import manifests
from streams.settings import SHIPPED_RULES
from streams.topics import STREAMS_TOPICS

K8S: Final = Path(__file__).parent.parent

_MADE_OF = "# Made of {source} by `python -m k8s.generate`: change that, not this.\n"


def generated() -> dict[Path, str]:
    """Return the text of each generated file."""
    topics = manifests([*CONNECTOR_TOPICS, *STREAMS_TOPICS])
    return {
        K8S / "kafka" / "topics.yaml": _MADE_OF.format(source="the contract") + topics,
        # A copy, since kustomize reads no file outside its own folder.
        K8S / "base" / "rules.yaml": _MADE_OF.format(source="streams/rules/default.yaml")
        + SHIPPED_RULES.read_text("utf-8"),
    }
