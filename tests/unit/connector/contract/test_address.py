from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.address import checksummed, parse_address
from connector.contract.errors import InvalidAddress

# From EIP-55 itself.
VECTORS = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
]
ADDRESSES = st.text("0123456789abcdef", min_size=40, max_size=40)


@pytest.mark.parametrize("address", VECTORS)
def test_the_standards_own_examples_are_read(address: str) -> None:
    """With checksum, and in one case without."""
    assert parse_address(address) == address.lower()
    assert parse_address(f"  {address.lower()}\n") == address.lower()
    assert parse_address(address.upper()) == address.lower()
    assert checksummed(address[2:]) == address[2:]


@given(ADDRESSES, st.data())
def test_a_checksum_reveals_another_letter_case(digits: str, data: st.DataObject) -> None:
    """One letter in the wrong case is found, unless all letters are then of one case."""
    right = checksummed(digits)
    letters = [place for place, digit in enumerate(right) if digit.isalpha()]
    if not letters:
        return
    place = data.draw(st.sampled_from(letters))
    wrong = right[:place] + right[place].swapcase() + right[place + 1 :]
    if wrong in (digits.lower(), digits.upper()):
        assert parse_address(f"0x{wrong}") == f"0x{digits}"
    else:
        with pytest.raises(InvalidAddress, match="mistyped"):
            parse_address(f"0x{wrong}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing"),
        ("vitalik.eth", "'vitalik.eth' is a name"),
        (VECTORS[0][2:], "lacks 0x"),
        (VECTORS[0][:-1], "39 hex digits after 0x, an address has 40"),
        (VECTORS[0] + "0", "41 hex digits"),
        (VECTORS[0][:-1] + "g", "holds 'g'"),
        ("0x" + "0" * 39 + "\N{ARABIC-INDIC DIGIT ONE}", "no hex digit"),
        ("0x" + "ab" * 32, "hash of a transaction or the id of a market"),
        ("0x", "0 hex digits"),
        ("https://polymarket.com/profile/0x1", "no address: expected 0x and 40"),
        (VECTORS[0].replace("5aAe", "5aAf"), "mistyped.*Copy it again"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    """Each kind of mistake has its own words."""
    with pytest.raises(InvalidAddress, match=said):
        parse_address(text)


@given(st.text())
def test_any_text_is_an_address_or_a_clear_error(text: str) -> None:
    """Nothing else is raised, and what is accepted is 0x and 40 lower-case digits."""
    try:
        address = parse_address(text)
    except InvalidAddress:
        return
    assert len(address) == 42
    assert address == text.strip().lower()
