package wallets;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Folds the orders of one partition. Alerts go out at once; statistics of the wallets that have changed, by orders or
 * by time, go out when it is time to flush, and then a commit is asked for.
 */
final class WalletProcessor implements Processor<String, byte[], String, byte[]> {
    static final String STORE = "wallets";
    static final String ALERTS = "alerts";
    static final String STATISTICS = "statistics";

    private final OrderReader reader = new OrderReader();
    private final Statistics statistics = new Statistics();
    private final Set<String> changed = new LinkedHashSet<>();
    private final Deadlines deadlines = new Deadlines();
    private final Rules rules;
    private final Duration flush;
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, WalletState> store;
    /** The running maximum of the append times, milliseconds. */
    private long clock;
    private long offset = -1;

    WalletProcessor(Rules rules, Duration flush) {
        this.rules = rules;
        this.flush = flush;
    }

    @Override
    public void init(ProcessorContext<String, byte[]> processorContext) {
        context = processorContext;
        store = context.getStateStore(STORE);
        clock = context.currentStreamTimeMs();
        try (KeyValueIterator<String, WalletState> all = store.all()) {
            all.forEachRemaining(each -> changed.add(each.key)); // nobody knows which were waiting to be told
        }
        context.schedule(Instant.EPOCH, flush, PunctuationType.WALL_CLOCK_TIME, now -> publish());
    }

    @Override
    public void process(Record<String, byte[]> record) {
        Order order = read(record.value());
        if (!order.user.equals(record.key())) {
            throw new IllegalArgumentException("an order of " + order.user + " under the key " + record.key());
        }
        clock = Math.max(clock, record.timestamp());
        offset = context.recordMetadata().orElseThrow().offset();
        WalletState state = store.get(order.user);
        if (state != null && state.known.holds(order.idHigh, order.idLow, order.occurrence)) {
            return;
        }
        if (state == null || state.idle(clock)) {
            state = new WalletState();
        }
        state.advance(clock);
        if (state.apply(order)) {
            rules.ask(state, order, clock, alert -> context.forward(record.withValue(alert), ALERTS));
        }
        store.put(order.user, state);
        changed.add(order.user);
    }

    private Order read(byte[] value) {
        try {
            return reader.read(value);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private void publish() {
        if (offset < 0) {
            return; // where the partition is will be known with the next order
        }
        deadlines.take(clock / 1_000, changed::add);
        for (String wallet : changed) {
            WalletState state = store.get(wallet);
            state.windows.advance(clock / 1_000);
            byte[] value = statistics.encode(wallet, state, clock, offset, context.taskId().partition());
            context.forward(new Record<>(wallet, value, clock), STATISTICS);
            deadlines.set(wallet, state.windows.due);
        }
        changed.clear();
        context.commit();
    }
}
