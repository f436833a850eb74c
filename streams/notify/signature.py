"""
Signatures of webhooks, after the Standard Webhooks specification (standardwebhooks.com). Pure.

`webhook-signature: v1,BASE64` is the HMAC-SHA256, keyed with the secret, of `ID.TIMESTAMP.BODY`, where `webhook-id` is
the idempotency key and `webhook-timestamp` unix seconds. Libraries of the specification verify it in a line.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_ENCODED = "whsec_"


def headers(secret: str, key: str, body: bytes, at_s: int) -> dict[str, str]:
    """Return what goes with a body that is sent at a time."""
    signed = b"%s.%d.%s" % (key.encode(), at_s, body)
    signature = base64.b64encode(hmac.digest(_secret(secret), signed, hashlib.sha256)).decode()
    return {
        "Idempotency-Key": key,
        "webhook-id": key,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{signature}",
    }


def _secret(text: str) -> bytes:
    """Return the bytes of a secret: those of its text, or what `whsec_` stands before, in base64."""
    if text.startswith(_ENCODED):
        try:
            return base64.b64decode(text.removeprefix(_ENCODED), validate=True)
        except binascii.Error:
            pass
    return text.encode()
