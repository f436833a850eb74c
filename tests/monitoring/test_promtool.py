"""Prometheus' own tool on what it will be given. Needs it on PATH, which `make monitoring` sees to."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support import monitoring

pytestmark = pytest.mark.prometheus


def promtool(*arguments: str) -> str:
    """Run promtool beside our files; return what it printed, which is the reason where it fails."""
    tool = shutil.which("promtool")
    assert tool, "promtool is not on PATH: `make monitoring` brings it, or install Debian's package prometheus"
    done = subprocess.run(  # noqa: S603 (our own files)
        [tool, *arguments], cwd=monitoring.FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_prometheus_takes_the_rules() -> None:
    """Each expression parses and each template is one; promtool also knows a few things better avoided."""
    said = promtool("check", "rules", "alerts.yaml")
    assert f"{len(monitoring.rules())} rules found" in said


def test_prometheus_takes_the_configuration() -> None:
    """What docker-compose.yml mounts, together with the rules beside it."""
    assert "valid prometheus config file" in promtool("check", "config", "prometheus.yaml")


@pytest.mark.timeout(600)
def test_each_alert_fires_when_it_should_and_is_quiet_otherwise() -> None:
    """All of alerts.test.yaml: labels and texts of what fires included."""
    assert "SUCCESS" in promtool("test", "rules", "alerts.test.yaml")
