package wallets;

/** The state of one wallet, and what an order does to it. Times at this interface are milliseconds. */
final class WalletState {
    /** Of the log, after which a wallet without an order begins anew. */
    static final long IDLE_MS = 35L * 86_400_000;

    final Windows windows = new Windows();
    final Positions positions = new Positions();
    final Known known = new Known();
    final Cooldowns cooldowns = new Cooldowns();
    long late;
    long clock;

    boolean idle(long at) {
        return at - clock > IDLE_MS;
    }

    void advance(long at) {
        clock = Math.max(clock, at);
        windows.advance(at / 1_000);
    }

    /** Absorb an order that is not known, at the clock advanced to; false: it came later than the longest window. */
    boolean apply(Order order) {
        long second = Math.min(order.timestamp, windows.clock);
        positions.add(order.token, second, order.buy, order.notional, order.shares);
        boolean counted =
                windows.add(second, order.buy, order.notional, order.shares, order.hasMarket, order.market);
        known.remember(order.idHigh, order.idLow, order.occurrence, windows.clock);
        if (!counted) {
            late++;
        }
        return counted;
    }
}
