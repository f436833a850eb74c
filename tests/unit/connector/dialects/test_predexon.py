from __future__ import annotations

from connector.dialects.predexon import Predexon
from connector.packing import Quota

PREDEXON = Predexon()


def test_quotas_are_the_documented_ones() -> None:
    """No socket on the free plan; the totals of Dev, 100 wallets, and Pro, 50,000, are the products."""
    assert PREDEXON.quotas == {"free": Quota(0, 0), "dev": Quota(10, 10), "pro": Quota(100, 500)}


def test_only_a_refused_key_ends_it_for_good() -> None:
    """An idle close (4000) and one connection too many (4002) may be tried again."""
    assert PREDEXON.fatal_close_codes == {4001}


def test_a_row_of_another_kind_is_no_order() -> None:
    """Should REST ever list refunds or pending trades, they are left out."""
    rows = [{"event_type": "fee_refund"}, {"status": "pending"}, {"tx_hash": "0x1"}]
    assert PREDEXON.rest_page({"trades": rows}).rows == [{"tx_hash": "0x1"}]
