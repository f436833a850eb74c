from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from connector.process.mask import Mask

KEY = 'sk-live/"s3cr3t"+k3y'


def test_a_secret_is_blotted_out_however_it_is_written() -> None:
    """As it is, as a part of a URL, and inside JSON; the rest of the text stays."""
    said = f"{KEY} at wss://host/{quote(KEY, safe='')} in {json.dumps({'error': KEY})}"
    assert Mask([KEY]).text(said) == '*** at wss://host/*** in {"error": "***"}'
    assert Mask([KEY]).raw(said.encode()) == b'*** at wss://host/*** in {"error": "***"}'


@given(st.integers(0, 60))
def test_a_secret_that_was_cut_off_is_blotted_out(length: int) -> None:
    """Errors quote the beginning of what came, and that may end within a key: at most 7 characters of it stay."""
    shown = Mask([KEY]).text(f"expected BUY or SELL, got {KEY}"[:length] + "...")
    assert KEY[:8] not in shown
    assert KEY[8:12] not in shown


def test_of_keys_that_begin_alike_no_end_is_left() -> None:
    """The longer one is blotted out first; no secret is no reason to blot out everything."""
    mask = Mask(["", "key", "key-2"])
    assert (mask.text("key-2, key"), mask.raw(b"key-2, key")) == ("***, ***", b"***, ***")
