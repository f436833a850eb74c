package wallets;

import java.util.Arrays;

/**
 * The memory against orders that come twice: the last 64 ids, and for ten minutes of the log those before, as
 * {@code streams/stats/recent.py} and {@code older.py}. Kept as arrays that are looked through, which are written and
 * read as they are.
 */
final class Known {
    static final int RECENT = 64;
    static final int KEPT_S = 600;
    static final int MOST = 4_096;

    /** Halves of the digests, and occurrences; a ring whose next place is that of the oldest once it is full. */
    long[] high = new long[4];
    long[] low = new long[4];
    int[] occurrence = new int[4];
    int size;
    int next;

    /** Numbers made of ids, oldest first from {@code begin} on, and the seconds at which they left the ring. */
    long[] older = new long[0];
    int[] left = new int[0];
    int begin;
    int end;

    boolean holds(long highHalf, long lowHalf, int number) {
        for (int place = 0; place < size; place++) {
            if (low[place] == lowHalf && high[place] == highHalf && occurrence[place] == number) {
                return true;
            }
        }
        long wanted = lowHalf ^ number;
        for (int place = begin; place < end; place++) {
            if (older[place] == wanted) {
                return true;
            }
        }
        return false;
    }

    void remember(long highHalf, long lowHalf, int number, long second) {
        if (size < RECENT) {
            grow();
            set(size++, highHalf, lowHalf, number);
            return;
        }
        retire(low[next] ^ occurrence[next], (int) second);
        set(next, highHalf, lowHalf, number);
        next = (next + 1) % RECENT;
    }

    private void grow() {
        if (size == high.length) {
            high = Arrays.copyOf(high, size * 2);
            low = Arrays.copyOf(low, size * 2);
            occurrence = Arrays.copyOf(occurrence, size * 2);
        }
    }

    private void set(int place, long highHalf, long lowHalf, int number) {
        high[place] = highHalf;
        low[place] = lowHalf;
        occurrence[place] = number;
    }

    private void retire(long number, int second) {
        if (end == older.length) {
            int kept = end - begin;
            int length = Math.max(16, kept > older.length / 2 ? older.length * 2 : older.length);
            older = move(older, new long[length], kept);
            left = move(left, new int[length], kept);
            begin = 0;
            end = kept;
        }
        older[end] = number;
        left[end++] = second;
        while (end - begin > MOST || left[begin] < second - KEPT_S) {
            begin++;
        }
    }

    private <T> T move(T from, T to, int kept) {
        System.arraycopy(from, begin, to, 0, kept);
        return to;
    }
}
