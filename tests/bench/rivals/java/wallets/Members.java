package wallets;

import java.util.Arrays;

/** Second of the newest order by market, of the markets in the longest window; few enough to look through. */
final class Members {
    long[] markets = new long[4];
    long[] newest = new long[4];
    int size;

    int find(long market) {
        for (int place = 0; place < size; place++) {
            if (markets[place] == market) {
                return place;
            }
        }
        return -1;
    }

    void add(long market, long second) {
        if (size == markets.length) {
            markets = Arrays.copyOf(markets, size * 2);
            newest = Arrays.copyOf(newest, size * 2);
        }
        markets[size] = market;
        newest[size++] = second;
    }

    /** Forget those whose newest order is before a second. */
    void forgetBefore(long second) {
        int kept = 0;
        for (int place = 0; place < size; place++) {
            if (newest[place] >= second) {
                markets[kept] = markets[place];
                newest[kept++] = newest[place];
            }
        }
        size = kept;
    }
}
