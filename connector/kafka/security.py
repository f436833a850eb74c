"""How to get into a secured Kafka: settings of every process of ours, and what aiokafka's clients make of them."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from connector.process.environment import fault

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

_TLS = ("SSL", "SASL_SSL")
_SASL = ("SASL_PLAINTEXT", "SASL_SSL")


class KafkaSecurity(BaseSettings):
    """Settings to inherit. With TLS the broker's certificate and host name are always verified."""

    kafka_security_protocol: Protocol = Field(
        "PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL: what the brokers' listener speaks"
    )
    kafka_sasl_mechanism: Mechanism = Field(
        "SCRAM-SHA-512", description="how SASL proves who we are: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
    )
    kafka_username: str = Field("", validate_default=True, description="the user's name, with SASL only")
    kafka_password: SecretStr = Field(
        SecretStr(""), validate_default=True, description="the user's password, with SASL only"
    )
    kafka_ca_file: Path | None = Field(
        None, description="PEM file of the authorities that may sign the brokers' certificates; default: the system's"
    )
    kafka_cert_file: Path | None = Field(None, description="PEM file of our own certificate, where the brokers ask")
    kafka_key_file: Path | None = Field(
        None, validate_default=True, description="PEM file of its key, unencrypted; default: it is in KAFKA_CERT_FILE"
    )

    def client(self) -> dict[str, Any]:
        """Return the keyword arguments that every aiokafka client needs beside its servers."""
        arguments: dict[str, Any] = {"security_protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol in _TLS:
            arguments["ssl_context"] = _context(self.kafka_ca_file, self.kafka_cert_file, self.kafka_key_file)
        if self.kafka_security_protocol in _SASL:
            arguments |= {
                "sasl_mechanism": self.kafka_sasl_mechanism,
                "sasl_plain_username": self.kafka_username,
                "sasl_plain_password": self.kafka_password.get_secret_value(),
            }
        return arguments

    @field_validator("kafka_username", "kafka_password")
    @classmethod
    def _credential(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        protocol = info.data.get("kafka_security_protocol")
        if protocol is None:
            return value  # the protocol's own fault is enough
        if text and protocol not in _SASL:
            raise fault(f"is not sent with KAFKA_SECURITY_PROTOCOL={protocol}: choose SASL_SSL, or unset it")
        if not text and protocol in _SASL:
            raise fault(f"is not set, KAFKA_SECURITY_PROTOCOL={protocol} needs it")
        if not text.isprintable():
            raise fault("holds characters that cannot be printed, maybe the end of a line")
        return value

    @field_validator("kafka_ca_file", "kafka_cert_file", "kafka_key_file")
    @classmethod
    def _pem(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        protocol = info.data.get("kafka_security_protocol")
        if value is not None and protocol is not None and protocol not in _TLS:
            raise fault(f"is not used with KAFKA_SECURITY_PROTOCOL={protocol}: choose SASL_SSL or SSL, or unset it")
        if value is not None and not value.is_file():
            raise fault("is no file that can be read")
        return value

    @field_validator("kafka_ca_file")
    @classmethod
    def _authorities(cls, value: Path | None) -> Path | None:
        try:
            _context(value, None, None)
        except (OSError, ValueError) as error:
            raise fault(f"holds no certificates in PEM form ({_reason(error)})") from None
        return value

    @field_validator("kafka_key_file")
    @classmethod
    def _pair(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        certificate = info.data.get("kafka_cert_file")
        if certificate is None:
            if value is not None and "kafka_cert_file" in info.data:
                raise fault("is the key of a certificate, but KAFKA_CERT_FILE is not set")
            return value
        try:
            _context(None, certificate, value)
        except (OSError, ValueError) as error:
            raise fault(f"with KAFKA_CERT_FILE makes no certificate and key in PEM form ({_reason(error)})") from None
        return value


def _context(authorities: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=authorities)
    if certificate is not None:
        context.load_cert_chain(certificate, key, password="")  # an encrypted key fails instead of asking the terminal
    return context


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
