from __future__ import annotations

from typing import Any

import orjson
import pytest

from connector.contract.provenance import HEADERS as WRITTEN
from connector.contract.topics import CONNECTOR_TOPICS
from streams.contract.__main__ import RELEASED, documents
from streams.contract.compatibility import breaks
from streams.contract.published import HEADERS, HEADERS_OF, READINGS, Published, published
from streams.topics import STREAMS_TOPICS

PUBLISHED = {each.topic.name: each for each in published()}


def test_the_documents_are_what_the_code_says() -> None:
    """Run `make contract` after a change of topics or schemas."""
    assert [path.name for path, content in documents().items() if path.read_bytes() != content] == []


def test_every_topic_that_is_no_internal_one_is_in() -> None:
    """And nothing else."""
    names = {spec.name for spec in (*CONNECTOR_TOPICS, *STREAMS_TOPICS) if not spec.internal}
    assert PUBLISHED.keys() == READINGS.keys() == names


def test_every_reference_of_the_document_leads_somewhere() -> None:
    """Those of schemas were moved to one place for all topics."""
    (asyncapi,) = (orjson.loads(content) for path, content in documents().items() if path.suffix == ".json")
    references = list(refs(asyncapi))
    assert len(references) > len(PUBLISHED)
    for reference in references:
        target = asyncapi
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def refs(document: Any) -> list[str]:
    """Return every reference inside."""
    if isinstance(document, list):
        return [ref for each in document for ref in refs(each)]
    if not isinstance(document, dict):
        return []
    own = [document["$ref"]] if isinstance(document.get("$ref"), str) else []
    return own + [ref for each in document.values() for ref in refs(each)]


def test_the_headers_of_orders_are_those_that_are_written() -> None:
    """Each has its words, too."""
    assert set(HEADERS_OF["orders.v1"]) == WRITTEN
    assert {name for names in HEADERS_OF.values() for name in names} == HEADERS.keys()


@pytest.mark.parametrize("each", PUBLISHED.values(), ids=PUBLISHED)
def test_a_schema_says_what_it_is_and_what_each_field_is(each: Published) -> None:
    """With a name of its own, and words for every field of the value."""
    assert each.schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert each.schema["$id"].startswith("urn:walletstream:schema:")
    bare = [name for name, field in each.schema.get("properties", {}).items() if "description" not in field]
    assert [name for name in bare if name not in ("windows", "outcomes", "state", "start_ms")] == []


@pytest.mark.parametrize("name", sorted(path.stem for path in RELEASED.glob("*.json")))
def test_no_schema_breaks_what_was_released(name: str) -> None:
    """A topic that was released is there, and its schema still serves its readers and writers."""
    each = PUBLISHED[name]
    released = orjson.loads((RELEASED / f"{name}.json").read_bytes())
    assert breaks(released, each.schema, written_by_consumers=each.reading.written_by == "anybody") == []
