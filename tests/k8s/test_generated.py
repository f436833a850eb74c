"""What is made of the code, and what has to agree with it."""

from __future__ import annotations

from pathlib import Path

from connector.contract.topics import CONNECTOR_TOPICS
from k8s.generate.files import generated
from streams.topics import STREAMS_TOPICS
from tests.support.manifests import written

COMPONENTS = {"connector", "streams", "notify", "board", "toolbox"}
ROOT = Path(__file__).parents[2]


def test_generated_files_are_those_that_the_code_makes() -> None:
    """A topic or a rule was changed: `python -m k8s.generate` writes them anew."""
    stale = [str(path.relative_to(ROOT)) for path, text in generated().items() if path.read_text("utf-8") != text]
    assert stale == []


def test_every_component_with_kafka_has_a_user_and_no_other_does() -> None:
    """The simulator knows no Kafka."""
    users = {user["metadata"]["name"] for user in written("kafka", "users.yaml")}
    assert users == {f"walletstream-{component}" for component in COMPONENTS}


def test_rights_are_about_topics_that_there_are() -> None:
    """A mistyped name grants nothing, and nobody says so."""
    topics = {spec.name for spec in (*CONNECTOR_TOPICS, *STREAMS_TOPICS)}
    for user in written("kafka", "users.yaml"):
        for acl in user["spec"]["authorization"]["acls"]:
            resource = acl["resource"]
            name = resource["name"]
            assert name != "*"
            match resource["type"]:
                case "topic":
                    assert name in topics
                case "transactionalId":
                    assert name.removesuffix("-") in topics
                case kind:
                    assert kind == "group"


def test_secrets_that_are_copied_are_those_of_the_users() -> None:
    """External Secrets may read them, and no others of Kafka's namespace."""
    role, binding = written("overlays", "production", "kafka", "access.yaml")
    secrets = {f"walletstream-{component}" for component in COMPONENTS} | {"kafka-cluster-ca-cert"}
    account, store, *copies = written("overlays", "production", "app", "certificates.yaml")
    assert set(role["rules"][0]["resourceNames"]) == secrets
    assert {copy["metadata"]["name"] for copy in copies} == secrets
    assert binding["subjects"][0]["name"] == account["metadata"]["name"]
    assert store["spec"]["provider"]["kubernetes"]["auth"]["serviceAccount"]["name"] == account["metadata"]["name"]
