from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.board.changes import Table


def test_what_changed_often_is_told_once() -> None:
    """With its newest value: this is what makes a thousand orders a second bearable."""
    table: Table[int] = Table(10)
    for value in range(100):
        table.put("a", value)
    assert table.take_changed(5) == [99]
    assert table.take_changed(5) == []


def test_changes_beyond_the_limit_wait_for_the_next_time() -> None:
    """The longest waiting first, none lost."""
    table: Table[str] = Table(10)
    for key in "abc":
        table.put(key, key)
    table.touch("a")
    table.touch("nobody")
    assert table.take_changed(2) == ["a", "b"]
    assert table.take_changed(2) == ["c"]


def test_who_was_put_longest_ago_makes_room() -> None:
    """And is told as gone, once; who comes back is not."""
    table: Table[int] = Table(2)
    for key in "abacb":
        table.put(key, 0)
    assert ("a" in table, "c" in table, len(table)) == (False, True, 2)
    assert table.take_gone() == ["a"]
    assert table.take_gone() == []
    table.drop("nobody")
    assert table.take_gone() == []


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 5)), max_size=40), st.integers(1, 4))
def test_who_applies_what_is_told_has_the_same_table(puts: list[tuple[str, int]], most: int) -> None:
    """Changes first, then what is gone, as the page does it."""
    table: Table[tuple[str, int]] = Table(most)
    page: dict[str, int] = {}
    for key, value in puts:
        table.put(key, (key, value))
        page |= dict(table.take_changed(1))
        for gone in table.take_gone():
            page.pop(gone, None)
    page |= dict(table.take_changed(10))
    assert page == dict(table.values())
