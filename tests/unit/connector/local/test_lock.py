from __future__ import annotations

from importlib import resources

import pytest

from connector.local.lock import parse_lock

DIGEST = "ab" * 32


def test_reads_coordinates_and_skips_comments() -> None:
    """Each line becomes a jar; comments and empty lines do not."""
    (jar,) = parse_lock(f"# why\n\norg.apache.kafka:kafka_2.13:4.4.0 {DIGEST}\n")
    assert jar.coordinate == "org.apache.kafka:kafka_2.13:4.4.0"
    assert jar.filename == "kafka_2.13-4.4.0.jar"
    assert jar.sha256 == DIGEST


@pytest.mark.parametrize("line", ["a:b:1", f"a:b {DIGEST}", f"a:b:1 {DIGEST[:-1]}", f"../a:b:1/2 {DIGEST}"])
def test_a_malformed_line_is_named(line: str) -> None:
    """A line that is no coordinate with a digest is an error with its number."""
    with pytest.raises(ValueError, match="line 2"):
        parse_lock(f"# comment\n{line}\n")


def test_two_jars_of_one_file_name_are_refused() -> None:
    """The cache is one flat folder, so file names must differ."""
    with pytest.raises(ValueError, match="same file name"):
        parse_lock(f"a:x:1 {DIGEST}\nb:x:1 {DIGEST}\n")


@pytest.mark.parametrize(
    ("lock", "version", "artifact"), [("kafka", "4.4.0", "kafka_2.13"), ("tools", "4.3.1", "kafka-tools")]
)
def test_each_shipped_lock_is_of_one_kafka_version(lock: str, version: str, artifact: str) -> None:
    """Jars of two releases of Kafka on one class path do not fit each other; a logging binding is among the rest."""
    jars = parse_lock(resources.files("connector.local").joinpath(f"{lock}.lock").read_text())
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {version}
    assert {artifact, "kafka-clients", "log4j-slf4j-impl"} <= {jar.artifact for jar in jars}
