"""Writes the derived files beside `alerts.yaml`."""

from __future__ import annotations

from k8s.monitoring.generate.derived import DERIVED, FOLDER

for name, text in DERIVED.items():
    (FOLDER / name).write_text(text(), encoding="utf-8")
