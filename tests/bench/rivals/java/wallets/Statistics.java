package wallets;

import wallets.Positions.Position;

/** Writes values of {@code wallet-stats.v1}, as {@code streams.records.WalletStats} has them. */
final class Statistics {
    private static final byte[] NULL = Out.ascii("null");
    private static final byte[] HEAD = Out.ascii("{\"schema\":1,\"wallet\":\"");
    private static final byte[] AS_OF = Out.ascii("\",\"as_of\":");
    private static final byte[] AS_OF_OFFSET = Out.ascii(",\"as_of_offset\":");
    private static final byte[] PARTITION = Out.ascii(",\"partition\":");
    private static final byte[] WINDOWS = Out.ascii(",\"windows\":{");
    private static final byte[][] SPANS = {
        Out.ascii("\"1m\":"), Out.ascii(",\"5m\":"), Out.ascii(",\"1h\":"), Out.ascii(",\"24h\":")
    };
    private static final byte[] ORDERS = Out.ascii("{\"orders\":");
    private static final byte[] BUYS = Out.ascii(",\"buys\":");
    private static final byte[] SELLS = Out.ascii(",\"sells\":");
    private static final byte[] BOUGHT = Out.ascii(",\"bought\":");
    private static final byte[] SOLD = Out.ascii(",\"sold\":");
    private static final byte[] VOLUME = Out.ascii(",\"volume\":");
    private static final byte[] NET_FLOW = Out.ascii(",\"net_flow\":");
    private static final byte[] MARKETS = Out.ascii(",\"markets\":");
    private static final byte[] MEAN_ORDER = Out.ascii(",\"mean_order\":");
    private static final byte[] MAX_ORDER = Out.ascii(",\"max_order\":");
    private static final byte[] MEAN_PRICE = Out.ascii(",\"mean_price\":");
    private static final byte[] LATE = Out.ascii("},\"late\":");
    private static final byte[] POSITIONS = Out.ascii(",\"positions\":[");
    private static final byte[] TOKEN = Out.ascii("{\"token_id\":\"");
    private static final byte[] TOKEN_ORDERS = Out.ascii("\",\"orders\":");
    private static final byte[] SHARES = Out.ascii(",\"shares\":");
    private static final byte[] BOUGHT_SHARES = Out.ascii(",\"bought_shares\":");
    private static final byte[] SOLD_SHARES = Out.ascii(",\"sold_shares\":");
    private static final byte[] AVERAGE_PRICE = Out.ascii(",\"average_price\":");
    private static final byte[] NEWEST = Out.ascii(",\"newest\":");
    private static final byte[] DROPPED = Out.ascii("],\"positions_dropped\":");

    private final Out out = new Out();

    /** The statistics of a wallet at a time, up to which its windows have to be advanced. */
    byte[] encode(String wallet, WalletState state, long asOf, long offset, int partition) {
        out.bytes(HEAD).bytes(Out.ascii(wallet)).bytes(AS_OF).decimal(asOf).bytes(AS_OF_OFFSET).decimal(offset);
        out.bytes(PARTITION).decimal(partition).bytes(WINDOWS);
        for (int level = 0; level < Windows.LEVELS; level++) {
            out.bytes(SPANS[level]);
            window(state.windows, level);
        }
        out.bytes(LATE).decimal(state.late).bytes(POSITIONS);
        boolean first = true;
        for (Position position : state.positions.viewed()) {
            if (!first) {
                out.ascii(',');
            }
            first = false;
            position(position);
        }
        return out.bytes(DROPPED).decimal(state.positions.dropped).ascii('}').take();
    }

    private void window(Windows windows, int level) {
        Bucket newest = windows.end(0);
        Bucket before = windows.end(level + 1);
        long orders = newest.orders - before.orders;
        long buys = newest.buys - before.buys;
        long bought = newest.bought - before.bought;
        long sold = newest.sold - before.sold;
        long shares = newest.shares - before.shares;
        out.bytes(ORDERS).decimal(orders).bytes(BUYS).decimal(buys).bytes(SELLS).decimal(orders - buys);
        out.bytes(BOUGHT).decimal(bought).bytes(SOLD).decimal(sold).bytes(VOLUME).decimal(bought + sold);
        out.bytes(NET_FLOW).decimal(bought - sold).bytes(MARKETS).decimal(windows.distinct[level]);
        out.bytes(MEAN_ORDER);
        if (orders > 0) {
            out.decimal((2 * (bought + sold) + orders) / (2 * orders)).bytes(MAX_ORDER).decimal(windows.largest[level]);
        } else {
            out.bytes(NULL).bytes(MAX_ORDER).bytes(NULL);
        }
        out.bytes(MEAN_PRICE);
        ratio(bought, shares).ascii('}');
    }

    private void position(Position position) {
        out.bytes(TOKEN).bytes(position.token.ascii).bytes(TOKEN_ORDERS).decimal(position.orders);
        out.bytes(SHARES).decimal(position.boughtShares - position.soldShares);
        out.bytes(BOUGHT_SHARES).decimal(position.boughtShares).bytes(BOUGHT).decimal(position.bought);
        out.bytes(SOLD_SHARES).decimal(position.soldShares).bytes(SOLD).decimal(position.sold);
        out.bytes(AVERAGE_PRICE);
        ratio(position.bought, position.boughtShares).bytes(NEWEST).decimal(position.newest).ascii('}');
    }

    private Out ratio(long money, long shares) {
        return out.bytes(shares == 0 ? NULL : Out.ascii(Double.toString((double) money / shares)));
    }
}
