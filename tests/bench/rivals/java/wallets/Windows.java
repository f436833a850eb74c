package wallets;

/**
 * Rolling windows over order times, as {@code streams/stats/windows.py} has them.
 *
 * <p>Times are whole seconds. A window holds the 60 buckets that end with the one of the clock. An order lies in one
 * bucket at a time, that of the shortest window which still holds it; a bucket that leaves it joins the next one's.
 * Sums are cumulative over tiers[3] + tiers[2] + tiers[1] + tiers[0].
 */
final class Windows {
    static final int LEVELS = 4;
    static final int BUCKETS = 60;
    static final long[] WIDTHS = {1, 5, 60, 1_440};
    static final long NEVER = 1L << 62;

    long clock;
    /** Second at which the next bucket leaves a window. */
    long due = NEVER;
    Bucket floor = new Bucket();
    final long[] largest = new long[LEVELS];
    final long[] distinct = new long[LEVELS];
    final Tier[] tiers = {new Tier(), new Tier(), new Tier(), new Tier()};
    final Members members = new Members();

    /** The last bucket of the tiers from {@code level} on: a window's sums are the difference of two of these. */
    Bucket end(int level) {
        for (; level < LEVELS; level++) {
            if (tiers[level].size > 0) {
                return tiers[level].last();
            }
        }
        return floor;
    }

    static int levelOf(long second, long clock) {
        for (int level = 0; level < LEVELS; level++) {
            if (second / WIDTHS[level] > clock / WIDTHS[level] - BUCKETS) {
                return level;
            }
        }
        return LEVELS;
    }

    /** Move the clock forward and let buckets go; a clock in the past is ignored. */
    void advance(long second) {
        if (second <= clock) {
            return;
        }
        clock = second;
        if (second < due) {
            return;
        }
        due = NEVER;
        for (int level = 0; level < LEVELS; level++) {
            Tier tier = tiers[level];
            if (tier.size > 0 && leaves(level) <= second) {
                expire(level, second / WIDTHS[level] - BUCKETS);
            }
            if (tier.size > 0) {
                due = Math.min(due, leaves(level));
            }
        }
    }

    private long leaves(int level) {
        return (tiers[level].get(0).number + BUCKETS) * WIDTHS[level];
    }

    /** Count an order, not after the clock; false, and nothing counted, if it is older than the longest window. */
    boolean add(long second, boolean buy, long notional, long shares, boolean hasMarket, long market) {
        int level = levelOf(second, clock);
        if (level == LEVELS) {
            return false;
        }
        Bucket bucket = place(level, second / WIDTHS[level]);
        countFrom(level, bucket, buy, notional, shares);
        bucket.largest = Math.max(bucket.largest, notional);
        for (int index = level; index < LEVELS; index++) {
            largest[index] = Math.max(largest[index], notional);
        }
        if (hasMarket) {
            meet(market, level, second, bucket);
        }
        return true;
    }

    private Bucket place(int level, long number) {
        Tier tier = tiers[level];
        int place = tier.find(number);
        if (place < tier.size && tier.get(place).number == number) {
            return tier.get(place);
        }
        Bucket made = new Bucket(place > 0 ? tier.get(place - 1) : end(level + 1), number);
        tier.insert(place, made);
        due = Math.min(due, (number + BUCKETS) * WIDTHS[level]);
        return made;
    }

    /** Count in a bucket and in all of later times, whose sums hold it too. */
    private void countFrom(int level, Bucket bucket, boolean buy, long notional, long shares) {
        Tier tier = tiers[level];
        for (int place = tier.size - 1; place >= 0 && tier.get(place).number >= bucket.number; place--) {
            tier.get(place).count(buy, notional, shares);
        }
        for (int shorter = 0; shorter < level; shorter++) {
            for (int place = 0; place < tiers[shorter].size; place++) {
                tiers[shorter].get(place).count(buy, notional, shares);
            }
        }
    }

    private void meet(long market, int level, long second, Bucket bucket) {
        int known = LEVELS;
        int place = members.find(market);
        if (place >= 0) {
            long newest = members.newest[place];
            if (second <= newest) {
                return;
            }
            known = levelOf(newest, clock);
            Tier tier = tiers[known];
            tier.get(tier.find(newest / WIDTHS[known])).fresh--;
            members.newest[place] = second;
        } else {
            members.add(market, second);
        }
        bucket.fresh++;
        for (int index = level; index < known; index++) {
            distinct[index]++;
        }
    }

    /** Take the buckets numbered up to {@code limit} out of a window, and into the next one's. */
    private void expire(int level, long limit) {
        Tier tier = tiers[level];
        int gone = 0;
        long most = 0;
        for (; gone < tier.size && tier.get(gone).number <= limit; gone++) {
            Bucket bucket = tier.get(gone);
            most = Math.max(most, bucket.largest);
            distinct[level] -= bucket.fresh;
            if (level + 1 < LEVELS) {
                passOn(level + 1, bucket);
            } else {
                forget(bucket);
            }
        }
        tier.removeFirst(gone);
        if (most == largest[level]) {
            long remaining = level > 0 ? largest[level - 1] : 0;
            for (int place = 0; place < tier.size; place++) {
                remaining = Math.max(remaining, tier.get(place).largest);
            }
            largest[level] = remaining;
        }
    }

    private void passOn(int level, Bucket bucket) {
        Tier tier = tiers[level];
        bucket.number = bucket.number * WIDTHS[level - 1] / WIDTHS[level];
        if (tier.size > 0 && tier.last().number == bucket.number) {
            bucket.largest = Math.max(bucket.largest, tier.last().largest);
            bucket.fresh += tier.last().fresh;
            tier.removeLast();
        }
        tier.add(bucket);
    }

    private void forget(Bucket bucket) {
        floor = bucket;
        if (bucket.fresh > 0) {
            members.forgetBefore((bucket.number + 1) * WIDTHS[LEVELS - 1]);
        }
    }
}
