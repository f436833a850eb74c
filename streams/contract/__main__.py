"""
Write the contract's documents anew: `python -m streams.contract` (or `make contract`).

Without an option the AsyncAPI document and the page, beside this file. `--release` also makes the schemas as they are
now those that later ones are held against: at a release, never before.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

import orjson

from streams.contract.asyncapi import document
from streams.contract.page import page
from streams.contract.published import published

FOLDER = Path(__file__).parent
RELEASED = FOLDER / "released"


def documents() -> dict[Path, bytes]:
    """Return what every generated file should hold."""
    topics = published()
    asyncapi = document(topics, version=version("walletstream"))
    head, _, tail = (FOLDER / "template.md").read_text("utf-8").partition("<!-- topics -->\n")
    return {
        FOLDER / "asyncapi.json": orjson.dumps(asyncapi, option=orjson.OPT_INDENT_2) + b"\n",
        FOLDER / "README.md": page(topics, head=head, tail=tail).encode(),
    }


def main() -> int:
    """Write them, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m streams.contract", description=__doc__)
    parser.add_argument("--release", action="store_true", help="the schemas as they are become the released ones")
    files = documents()
    if parser.parse_args().release:
        for each in published():
            files[RELEASED / f"{each.topic.name}.json"] = orjson.dumps(each.schema, option=orjson.OPT_INDENT_2) + b"\n"
    for path, content in files.items():
        path.write_bytes(content)
        sys.stdout.write(f"{path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
