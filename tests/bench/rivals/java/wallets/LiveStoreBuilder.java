package wallets;

import java.util.Map;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;

/** Puts a {@link LiveStore} before the store in memory that another builder makes. */
final class LiveStoreBuilder implements StoreBuilder<LiveStore> {
    private final StoreBuilder<KeyValueStore<String, WalletState>> inner;

    LiveStoreBuilder(StoreBuilder<KeyValueStore<String, WalletState>> inner) {
        this.inner = inner.withCachingDisabled();
    }

    @Override
    public LiveStore build() {
        return new LiveStore(inner.build());
    }

    @Override
    public StoreBuilder<LiveStore> withCachingEnabled() {
        return this;
    }

    @Override
    public StoreBuilder<LiveStore> withCachingDisabled() {
        return this;
    }

    @Override
    public StoreBuilder<LiveStore> withLoggingEnabled(Map<String, String> config) {
        inner.withLoggingEnabled(config);
        return this;
    }

    @Override
    public StoreBuilder<LiveStore> withLoggingDisabled() {
        inner.withLoggingDisabled();
        return this;
    }

    @Override
    public Map<String, String> logConfig() {
        return inner.logConfig();
    }

    @Override
    public boolean loggingEnabled() {
        return inner.loggingEnabled();
    }

    @Override
    public String name() {
        return inner.name();
    }
}
