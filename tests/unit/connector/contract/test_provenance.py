from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from connector.contract.provenance import Provenance, header_ns, read_provenance

if TYPE_CHECKING:
    from connector.contract.provenance import Source


@given(
    st.sampled_from(["ws", "backfill", "replay"]),
    st.text(max_size=9),
    st.integers(0, 2**63),
    st.none() | st.text(max_size=9),
    st.integers(0, 2**63),
)
def test_provenance_survives_the_headers(
    source: Source, provider: str, received_ns: int, subscription_id: str | None, published_ns: int
) -> None:
    """What is written into headers is read back, times included."""
    provenance = Provenance(source=source, provider=provider, received_ns=received_ns, subscription_id=subscription_id)
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
