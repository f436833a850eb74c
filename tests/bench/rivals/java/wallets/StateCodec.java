package wallets;

import java.util.Arrays;
import wallets.Positions.Position;

/** The compact value of a wallet's state. Sums are written as what a bucket adds to the one before. */
final class StateCodec {
    private final Out out = new Out();

    byte[] encode(WalletState state) {
        out.number(state.clock).number(state.late);
        write(state.windows);
        write(state.positions);
        write(state.known);
        out.number(state.cooldowns.size);
        for (int place = 0; place < state.cooldowns.size; place++) {
            out.number(state.cooldowns.rules[place]).number(state.cooldowns.fired[place]);
        }
        return out.take();
    }

    WalletState decode(byte[] value) {
        In in = new In(value);
        WalletState state = new WalletState();
        state.clock = in.number();
        state.late = in.number();
        read(in, state.windows);
        read(in, state.positions);
        read(in, state.known);
        for (int left = in.count(); left > 0; left--) {
            state.cooldowns.note(in.count(), in.number());
        }
        return state;
    }

    private void write(Windows windows) {
        out.number(windows.clock).number(windows.due);
        write(windows.floor, new Bucket());
        Bucket before = windows.floor;
        for (int level = Windows.LEVELS - 1; level >= 0; level--) {
            out.number(windows.largest[level]).number(windows.distinct[level]);
            Tier tier = windows.tiers[level];
            out.number(tier.size);
            for (int place = 0; place < tier.size; place++) {
                write(tier.get(place), before);
                before = tier.get(place);
            }
        }
        Members members = windows.members;
        out.number(members.size).longs(members.markets, 0, members.size).longs(members.newest, 0, members.size);
    }

    private static void read(In in, Windows windows) {
        windows.clock = in.number();
        windows.due = in.number();
        windows.floor = read(in, new Bucket());
        Bucket before = windows.floor;
        for (int level = Windows.LEVELS - 1; level >= 0; level--) {
            windows.largest[level] = in.number();
            windows.distinct[level] = in.number();
            for (int left = in.count(); left > 0; left--) {
                before = read(in, before);
                windows.tiers[level].add(before);
            }
        }
        Members members = windows.members;
        members.size = in.count();
        members.markets = new long[Math.max(4, members.size)];
        members.newest = new long[members.markets.length];
        in.longs(members.markets, 0, members.size);
        in.longs(members.newest, 0, members.size);
    }

    private void write(Bucket bucket, Bucket before) {
        out.number(bucket.number).number(bucket.orders - before.orders).number(bucket.buys - before.buys);
        out.number(bucket.bought - before.bought).number(bucket.sold - before.sold);
        out.number(bucket.shares - before.shares).number(bucket.largest).number(bucket.fresh);
    }

    private static Bucket read(In in, Bucket before) {
        Bucket bucket = new Bucket(before, in.number());
        bucket.orders += in.number();
        bucket.buys += in.number();
        bucket.bought += in.number();
        bucket.sold += in.number();
        bucket.shares += in.number();
        bucket.largest = in.number();
        bucket.fresh = in.number();
        return bucket;
    }

    private void write(Positions positions) {
        out.number(positions.dropped).number(positions.held.size());
        for (Position position : positions.held) {
            out.bytes(position.token.packed).number(position.orders).number(position.newest);
            out.number(position.boughtShares).number(position.bought);
            out.number(position.soldShares).number(position.sold);
        }
    }

    private static void read(In in, Positions positions) {
        positions.dropped = in.number();
        for (int left = in.count(); left > 0; left--) {
            Position position = new Position(in.token());
            position.orders = in.number();
            position.newest = in.number();
            position.boughtShares = in.number();
            position.bought = in.number();
            position.soldShares = in.number();
            position.sold = in.number();
            positions.held.add(position);
        }
    }

    private void write(Known known) {
        out.number(known.size).number(known.next);
        out.longs(known.high, 0, known.size).longs(known.low, 0, known.size).ints(known.occurrence, 0, known.size);
        out.number(known.end - known.begin);
        out.longs(known.older, known.begin, known.end).ints(known.left, known.begin, known.end);
    }

    private static void read(In in, Known known) {
        known.size = in.count();
        known.next = in.count();
        int room = Math.max(4, known.size);
        known.high = Arrays.copyOf(known.high, room);
        known.low = Arrays.copyOf(known.low, room);
        known.occurrence = Arrays.copyOf(known.occurrence, room);
        in.longs(known.high, 0, known.size);
        in.longs(known.low, 0, known.size);
        in.ints(known.occurrence, 0, known.size);
        known.end = in.count();
        if (known.end > 0) {
            known.older = new long[known.end + 1];
            known.left = new int[known.end + 1];
            in.longs(known.older, 0, known.end);
            in.ints(known.left, 0, known.end);
        }
    }
}
