from __future__ import annotations

import pytest

from connector.kafka.settings import KafkaSettings
from connector.process.environment import SettingsError, load


def test_the_environment_says_where_kafka_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it: localhost, no prefix, no security. An API key is not asked for."""
    for name in ("KAFKA", "TOPIC_PREFIX", "PARTITIONS", "API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert load(KafkaSettings).kafka == "localhost:9092"
    monkeypatch.setenv("KAFKA", "a:1, b:2")
    monkeypatch.setenv("TOPIC_PREFIX", "staging.")
    settings = load(KafkaSettings)
    assert (settings.kafka, settings.topic_prefix, settings.partitions) == ("a:1, b:2", "staging.", 8)
    assert settings.client() == {"security_protocol": "PLAINTEXT"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("KAFKA", "a:b", "should be host:port"),
        ("KAFKA", "a:1,,b:2", "should be host:port"),
        ("KAFKA", "a:0", "should be host:port"),
        ("TOPIC_PREFIX", "a b", "TOPIC_PREFIX ('a b')"),
        ("PARTITIONS", "0", "greater than or equal to 1"),
        ("KAFKA_PASSWORD", "s3cret", "KAFKA_PASSWORD ('***')"),
    ],
)
def test_faults_name_the_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    """With what to set it to, and without a secret."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load(KafkaSettings)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)
