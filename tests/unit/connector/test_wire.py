from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.wire import MAX_DEPTH, BadFrame, decode_frame
from tests.support.orders import JSON


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5))
def test_an_object_is_decoded(frame: dict[str, object]) -> None:
    """What is JSON and an object is taken as it is."""
    assert decode_frame(json.dumps(frame).encode(), max_bytes=100_000) == frame


@given(st.binary(max_size=100))
def test_any_bytes_are_decoded_or_refused_with_a_reason(raw: bytes) -> None:
    """No bytes raise anything but BadFrame."""
    try:
        assert isinstance(decode_frame(raw, max_bytes=64), dict)
    except BadFrame as error:
        assert error.reason in {"too-large", "bad-json", "not-an-object", "too-deep"}  # noqa: PT017 - either is right


def nested(levels: int) -> bytes:
    """Return an object `levels` deep."""
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("raw", "reason", "detail"),
    [
        (b'{"side":"BUY" "shares":5}', "bad-json", "line 1 column 15"),  # as in the documentation: no comma
        (b'{"type":"event","da', "bad-json", "line 1"),
        (b"", "bad-json", ""),
        (b'{"a":"\xff"}', "bad-json", "UTF-8"),
        (b'{"a":NaN}', "bad-json", ""),
        (b'{"a":1e999}', "bad-json", "infinity"),
        (b"[1]", "not-an-object", "expected a JSON object, got list"),
        (b"null", "not-an-object", "got NoneType"),
        (b" " * 1001, "too-large", "1001 bytes, at most 1000 are read (MAX_FRAME_BYTES)"),
        (nested(MAX_DEPTH + 1), "too-deep", "more than 32 levels"),
        (b'{"a":' + b"[" * 400 + b"]" * 400 + b"}", "too-deep", "more than 32 levels"),
    ],
)
def test_reasons(raw: bytes, reason: str, detail: str) -> None:
    """Each fault has a stable code and says what was expected."""
    with pytest.raises(BadFrame) as caught:
        decode_frame(raw, max_bytes=1000)
    assert caught.value.reason == reason
    assert detail in caught.value.detail


def test_a_frame_may_be_as_deep_and_as_wide_as_allowed() -> None:
    """The limit itself passes, and many brackets side by side are not depth."""
    assert decode_frame(nested(MAX_DEPTH), max_bytes=1000)
    assert decode_frame(b'{"a":[' + b"{}," * 200 + b"[]]}", max_bytes=1000)
