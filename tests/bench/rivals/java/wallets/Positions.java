package wallets;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What a wallet bought and sold of each token: the 64 with the newest orders, as {@code streams/stats/positions.py}. */
final class Positions {
    static final int MOST = 64;
    static final int MOST_VIEWED = 16;
    private static final Comparator<Position> NEWEST_FIRST =
            Comparator.comparingLong((Position position) -> -position.newest).thenComparing(position -> position.token);

    final List<Position> held = new ArrayList<>(4);
    long dropped;

    /** The sums over the orders of one token. */
    static final class Position {
        final Token token;
        long orders;
        long boughtShares;
        long bought;
        long soldShares;
        long sold;
        long newest;

        Position(Token token) {
            this.token = token;
        }
    }

    void add(Token token, long second, boolean buy, long notional, long shares) {
        Position position = find(token);
        position.orders++;
        if (buy) {
            position.boughtShares += shares;
            position.bought += notional;
        } else {
            position.soldShares += shares;
            position.sold += notional;
        }
        position.newest = Math.max(position.newest, second);
        if (held.size() > MOST) {
            held.remove(oldest());
            dropped++;
        }
    }

    private Position find(Token token) {
        for (int place = 0; place < held.size(); place++) {
            if (held.get(place).token == token) {
                return held.get(place);
            }
        }
        Position made = new Position(token);
        held.add(made);
        return made;
    }

    private int oldest() {
        int oldest = 0;
        for (int place = 1; place < held.size(); place++) {
            Position position = held.get(place);
            Position least = held.get(oldest);
            if (position.newest < least.newest
                    || (position.newest == least.newest && position.token.compareTo(least.token) < 0)) {
                oldest = place;
            }
        }
        return oldest;
    }

    /** Those with the newest orders, newest first, ties by the number of the token. */
    List<Position> viewed() {
        held.sort(NEWEST_FIRST);
        return held.subList(0, Math.min(MOST_VIEWED, held.size()));
    }
}
