package wallets;

import java.util.Arrays;

/** When rules fired last, of those whose cooldown may go on: by the number of the rule in its file. */
final class Cooldowns {
    int[] rules = new int[0];
    long[] fired = new long[0];
    int size;

    boolean over(int rule, long clock, long cooldown) {
        int place = find(rule);
        return place < 0 || clock - fired[place] >= cooldown;
    }

    void note(int rule, long clock) {
        int place = find(rule);
        if (place < 0) {
            place = add(rule);
        }
        fired[place] = clock;
    }

    int add(int rule) {
        if (size == rules.length) {
            rules = Arrays.copyOf(rules, Math.max(4, size * 2));
            fired = Arrays.copyOf(fired, rules.length);
        }
        rules[size] = rule;
        return size++;
    }

    private int find(int rule) {
        for (int place = 0; place < size; place++) {
            if (rules[place] == rule) {
                return place;
            }
        }
        return -1;
    }
}
