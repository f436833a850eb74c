"""Writes the files that are made of the code: `python -m k8s.generate`."""

from __future__ import annotations

from k8s.generate.files import generated


def main() -> None:
    """Write them all."""
    for path, text in generated().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
