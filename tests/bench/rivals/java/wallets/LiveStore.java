package wallets;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;

/**
 * A cache of live states before a store in memory with a changelog, where Kafka Streams' own holds bytes: a state is decoded when
 * its wallet is first heard of, and encoded once per commit. Like Streams' own it is told when to write, by {@code
 * flushCache}, before offsets are committed.
 */
final class LiveStore implements KeyValueStore<String, WalletState>, CachedStateStore<String, WalletState> {
    private final KeyValueStore<String, WalletState> inner;
    private final Map<String, WalletState> live = new HashMap<>();
    private final Set<String> unwritten = new LinkedHashSet<>();

    LiveStore(KeyValueStore<String, WalletState> inner) {
        this.inner = inner;
    }

    @Override
    public WalletState get(String wallet) {
        WalletState state = live.get(wallet);
        if (state == null) {
            state = inner.get(wallet);
            if (state != null) {
                live.put(wallet, state);
            }
        }
        return state;
    }

    @Override
    public void put(String wallet, WalletState state) {
        live.put(wallet, state);
        unwritten.add(wallet);
    }

    @Override
    public void flushCache() {
        for (String wallet : unwritten) {
            inner.put(wallet, live.get(wallet));
        }
        unwritten.clear();
    }

    @Override
    public void clearCache() {
        live.clear();
        unwritten.clear();
    }

    @Override
    public boolean setFlushListener(CacheFlushListener<String, WalletState> listener, boolean sendOldValues) {
        return false;
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        inner.init(context, root);
    }

    @Override
    public void commit(Map<TopicPartition, Long> changelogOffsets) {
        flushCache();
        inner.commit(changelogOffsets);
    }

    @Override
    public void close() {
        clearCache();
        inner.close();
    }

    @Override
    public KeyValueIterator<String, WalletState> all() {
        flushCache();
        return inner.all();
    }

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public boolean persistent() {
        return inner.persistent();
    }

    @Override
    public boolean isOpen() {
        return inner.isOpen();
    }

    @Override
    public long approximateNumEntries() {
        return inner.approximateNumEntries();
    }

    @Override
    public WalletState putIfAbsent(String wallet, WalletState state) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void putAll(List<KeyValue<String, WalletState>> entries) {
        throw new UnsupportedOperationException();
    }

    @Override
    public WalletState delete(String wallet) {
        throw new UnsupportedOperationException();
    }

    @Override
    public KeyValueIterator<String, WalletState> range(String from, String to) {
        throw new UnsupportedOperationException();
    }
}
