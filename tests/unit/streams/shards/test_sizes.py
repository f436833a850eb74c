from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.shards.sizes import Sizes

KEYS = st.sampled_from([b"a", b"b", b"c"])


@given(
    st.dictionaries(KEYS, st.binary(max_size=9)),
    st.lists(st.dictionaries(KEYS, st.none() | st.binary(max_size=9)), max_size=9),
)
def test_the_total_is_that_of_what_is_stored(
    stored: dict[bytes, bytes], writes: list[dict[bytes, bytes | None]]
) -> None:
    """Whatever is written, overwritten and forgotten."""
    sizes = Sizes(stored)
    for changes in writes:
        sizes.update(changes)
        stored = {key: value for key, value in (stored | changes).items() if value is not None}
        assert sizes.total == sum(map(len, stored.values()))
