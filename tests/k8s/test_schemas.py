"""Every document that an overlay makes is of its kind's form, and names no field that its kind has not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from tests.support.manifests import OVERLAYS, Document, rendered

pytestmark = pytest.mark.k8s

SCHEMAS = Path(__file__).parent / "schemas"
CUSTOM = {path.stem: json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.json")}
NEWEST = kubernetes_validate.latest_version()
OLDEST = "1.32"
"""Where all that we use is there: `sleep` in preStop and the label with a pod's index."""


def name_of(document: Document) -> str:
    """Return the name of the schema of a custom resource."""
    return f"{document['apiVersion'].replace('/', '-')}-{document['kind']}"


def strict(schema: Any) -> Any:
    """Return a CRD's schema that refuses unknown fields, as `kubectl apply --validate=strict` does."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(value) for name, value in schema.items()}
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    return closed


def root(schema: dict[str, Any]) -> dict[str, Any]:
    """Allow at the top of a document what Kubernetes itself looks at."""
    if "properties" in schema:
        schema["properties"] |= {name: {} for name in ("apiVersion", "kind", "metadata")}
    return schema


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_documents_have_the_form_of_their_kind(overlay: str, version: str) -> None:
    """Kubernetes' own kinds by its schemas, the others by those of their CRDs; unknown fields are faults."""
    faults = []
    for document in rendered(overlay):
        name = f"{document['kind']} {document['metadata']['name']}"
        try:
            if name_of(document) in CUSTOM:
                jsonschema.validate(document, root(strict(CUSTOM[name_of(document)])))
            else:
                kubernetes_validate.validate(document, version, strict=True)
        except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
            faults.append(f"{name}: {error.message} at {list(error.path)}")
    assert faults == []


@pytest.mark.parametrize("name", sorted(CUSTOM))
def test_schemas_of_custom_resources_refuse_what_is_wrong(name: str) -> None:
    """They are no empty shells, and each is of use."""
    documents = [each for overlay in OVERLAYS for each in rendered(overlay) if name_of(each) == name]
    assert documents
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(documents[0] | {"spec": documents[0]["spec"] | {"mistyped": 1}}, root(strict(CUSTOM[name])))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(documents[0] | {"spec": []}, root(strict(CUSTOM[name])))
