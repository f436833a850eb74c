"""`k8s/README.md` speaks of what there is."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.manifests import K8S, written

README = (K8S / "README.md").read_text("utf-8")
ROOT = K8S.parent
ALERTS = [
    rule for group in written("monitoring", "alerts.yaml")[0]["groups"] for rule in group["rules"] if "alert" in rule
]
COMMAND = re.compile(r"python -m ((?:connector|streams)(?:\.\w+)?(?: [a-z]+){0,2})(?= |`|$)", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_alert_has_its_page_in_the_runbook_and_no_other() -> None:
    """What an alert links to is there: symptom, metric, action."""
    linked = {rule["annotations"]["runbook_url"].partition("#")[2] for rule in ALERTS}
    assert linked == {anchor for anchor in anchors(README) if anchor.startswith("runbook-")}
    for page in README.split("\n### Runbook: ")[1:]:
        assert all(f"- **{part}** " in page for part in ("Symptom", "Metric", "Action")), page


def test_links_lead_somewhere() -> None:
    """Within the page; files are named in code."""
    assert set(re.findall(r"\]\(#([\w-]+)\)", README)) <= anchors(README)


def test_files_and_workloads_that_it_names_are_there() -> None:
    """Paths from the root of the repository, and what kubectl is told to work on."""
    for path in re.findall(r"k8s/overlays/[\w/]+", README):
        assert (ROOT / path / "kustomization.yaml").is_file(), path
    for path in re.findall(r"`((?:base|kafka|monitoring|overlays|tests|connector|streams)/[\w./-]+)`", README):
        assert (K8S / path).exists() or (ROOT / path).exists(), path
    named = {
        (document["kind"].lower(), document["metadata"]["name"])
        for file in (K8S / "base").glob("*.yaml")
        for document in written("base", file.name)
        if "metadata" in document
    }
    for kind, name in re.findall(r"\b(statefulset|deployment|service)/(\w+)", README):
        assert (kind, name) in named


def test_metrics_that_it_names_are_those_of_alerts_and_dashboard() -> None:
    """Which are held to the catalogues themselves."""
    known = "".join((K8S / "monitoring" / name).read_text("utf-8") for name in ("alerts.yaml", "dashboard.json"))
    code = "".join(
        path.read_text("utf-8") for part in ("connector", "streams") for path in (ROOT / part).rglob("metrics.py")
    )
    for name in set(re.findall(r"walletstream_(?:connector|streams|notify)_(\w+)", README)):
        assert name in known or f'"{name}"' in code, name


@pytest.mark.k8s
@pytest.mark.parametrize("command", sorted(set(COMMAND.findall(README)) - {"connector", "streams"}))
def test_commands_that_it_names_are_there(command: str) -> None:
    """They are asked for their manual."""
    words = command.split()
    manual = [sys.executable, "-m", *words, "--help"]
    asked = subprocess.run(manual, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603  # the page's own
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.startswith(f"usage: python -m {' '.join(words)}"), asked.stdout[:100]
