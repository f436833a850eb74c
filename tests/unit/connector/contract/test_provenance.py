from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from connector.contract.provenance import Provenance, header_ns, read_provenance

TEXTS = st.none() | st.text(max_size=9)


@given(
    st.builds(
        Provenance,
        source=st.sampled_from(["ws", "backfill", "replay"]),
        provider=st.text(max_size=9),
        received_ns=st.integers(0, 2**63),
        subscription_id=TEXTS,
        gap_id=TEXTS,
        label=TEXTS,
    ),
    st.integers(0, 2**63),
)
def test_provenance_survives_the_headers(provenance: Provenance, published_ns: int) -> None:
    """What is written into headers is read back, times included."""
    headers = provenance.headers(published_ns)
    assert read_provenance(headers) == provenance
    assert header_ns(headers, "published_ns") == published_ns
    assert header_ns(headers, "folded_ns") is None


@pytest.mark.parametrize("name", ["source", "provider", "received_ns"])
@pytest.mark.parametrize("value", [None, b"\xff"])
def test_headers_of_somebody_else_are_refused(name: str, value: bytes | None) -> None:
    """A missing or unreadable header is an InvalidRecord."""
    headers = {**dict(Provenance(source="ws", provider="dome", received_ns=1).headers(2)), name: value}
    with pytest.raises(InvalidRecord):
        read_provenance(headers.items())


def test_a_time_that_is_no_number_is_none() -> None:
    """A latency report goes on without a header it cannot read."""
    assert header_ns([("received_ns", b"soon"), ("received_ns", None)], "received_ns") is None
