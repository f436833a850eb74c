"""Rights of `KafkaUser`s on a broker that refuses everything else, and what its log says of their use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import trustme
from aiokafka.protocol.admin import CreateAclsRequest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from connector.kafka.admin import admin_client
from connector.local.broker import LocalKafka
from connector.local.config import HOST, SecureListener

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_RESOURCES: Final = {"topic": 2, "group": 3, "transactionalId": 5}
_PATTERNS: Final = {"literal": 3, "prefix": 4}
_OPERATIONS: Final = {"Read": 3, "Write": 4, "Describe": 8, "DescribeConfigs": 10}
_ALLOW: Final = 3
"""Numbers of Kafka's protocol."""

_WORDS: Final = {"topic": "TOPIC", "group": "GROUP", "transactionalId": "TRANSACTIONAL_ID"}
_DECISION = re.compile(
    r"Principal = User:CN=(?P<user>\S+) is (?P<verdict>\w+) operation = (?P<operation>\w+) .*"
    r" on resource = (?P<resource>\S+) for request = (?P<request>\w+).* based on rule (?P<rule>.*)"
)
_RULE = re.compile(r"resourceType=(\w+), resourceName=(\S+), patternType=(\w+),.* operation=(\w+),")


class Right(NamedTuple):
    """That a user may do something."""

    user: str
    resource: str
    name: str
    pattern: str
    operation: str


class Refusal(NamedTuple):
    """What the broker did not let a user do."""

    user: str
    operation: str
    resource: str
    request: str


def rights(users: Iterable[Mapping[str, Any]]) -> set[Right]:
    """Return what `KafkaUser`s are granted."""
    return {
        Right(user["metadata"]["name"], of["type"], of["name"], of.get("patternType", "literal"), operation)
        for user in users
        for acl in user["spec"]["authorization"]["acls"]
        for of in [acl["resource"]]
        for operation in acl["operations"]
    }


def strict_broker(folder: Path) -> LocalKafka:
    """
    Return a broker, not started, as Strimzi makes it of `authentication: tls` and `authorization: simple`.

    Certificates come into the folder, see `certificates`. Who comes to `bootstrap` may do everything.
    """
    _write(authority(folder).issue_cert(HOST), folder / "server.pem", folder / "server.pem")
    more = {
        "listener.security.protocol.map": ("CLIENT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SSL"),
        "listener.name.secure.ssl.client.auth": "required",
        "listener.name.secure.ssl.truststore.type": "PEM",
        "listener.name.secure.ssl.truststore.location": (folder / "ca.crt").as_posix(),
        "listener.name.secure.ssl.principal.mapping.rules": "RULE:^.*CN=([^,]+).*$/CN=$1/",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    secure = SecureListener(pem=folder / "server.pem", username="nobody", password="not used")
    return LocalKafka(data_dir=folder / "kafka", secure=secure, more=more, levels={"kafka.authorizer.logger": "debug"})


def authority(folder: Path) -> trustme.CA:
    """Return a new authority, whose certificate and key are in the folder from then on."""
    made = trustme.CA()
    made.cert_pem.write_to_path(folder / "ca.crt")
    made.private_key_pem.write_to_path(folder / "ca.key")
    return made


def certificates(folder: Path, user: str) -> Path:
    """Return a new folder with what Strimzi's Secrets hold for a user: `ca.crt`, `user.crt`, `user.key`."""
    signer = trustme.CA.from_pem((folder / "ca.crt").read_bytes(), (folder / "ca.key").read_bytes())
    mounted = folder / user
    mounted.mkdir()
    (mounted / "ca.crt").write_bytes((folder / "ca.crt").read_bytes())
    _write(signer.issue_cert(user, common_name=user), mounted / "user.key", mounted / "user.crt")
    return mounted


def _write(certificate: trustme.LeafCert, key_file: Path, chain_file: Path) -> None:
    key = load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(chain_file, append=True)


async def grant(bootstrap: str, granted: Iterable[Right]) -> None:
    """Have the broker know these rights, and no others."""
    async with admin_client(bootstrap, {}) as admin:
        for right in granted:
            request = CreateAclsRequest(
                _RESOURCES[right.resource],
                right.name,
                _PATTERNS[right.pattern],
                f"User:CN={right.user}",
                "*",
                _OPERATIONS[right.operation],
                _ALLOW,
            )
            response = await admin._send_to_controller(request)
            assert [code for code, _ in response.creation_responses] == [0], right


class Decisions(NamedTuple):
    """What a broker's log says."""

    used: set[Right]
    refused: set[Refusal]


def decisions(log: Path) -> Decisions:
    """
    Return the rights that allowed something which no other right would have, and what was refused.

    Reading and writing include describing; what was allowed so says nothing of the right to read or write.
    """
    found = Decisions(set(), set())
    for line in _lines(log):
        match = _DECISION.search(line)
        if match is None:
            continue
        if match["verdict"] == "Denied":
            found.refused.add(Refusal(match["user"], match["operation"], match["resource"], match["request"]))
        elif (rule := _RULE.search(match["rule"])) and rule[4] == match["operation"]:
            found.used.add(_right(match["user"], *rule.groups()))
    return found


def _lines(log: Path) -> Iterator[str]:
    with log.open(encoding="utf-8", errors="replace") as lines:
        yield from lines


def _right(user: str, resource: str, name: str, pattern: str, operation: str) -> Right:
    kinds = {word: kind for kind, word in _WORDS.items()}
    operations = {name.upper(): name for name in _OPERATIONS} | {"DESCRIBE_CONFIGS": "DescribeConfigs"}
    patterns = {"LITERAL": "literal", "PREFIXED": "prefix"}
    return Right(user, kinds[resource], name.strip("'"), patterns[pattern], operations[operation])
