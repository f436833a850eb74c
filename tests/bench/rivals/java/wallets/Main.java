package wallets;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams on the wallet half: KAFKA GROUP ORDERS PREFIX RULES STATE FLUSH_MS GUARANTEE STORE. */
public final class Main {
    private static final long CACHE_BYTES = 256L << 20;

    private Main() {}

    public static void main(String[] given) throws Exception {
        List<Rule> rules = Rule.read(Path.of(given[4]));
        Duration flush = Duration.ofMillis(Long.parseLong(given[6]));
        Topology topology = topology(given[2], given[3], rules, flush, given[8]);
        KafkaStreams streams = new KafkaStreams(topology, settings(given, flush));
        CountDownLatch failed = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            failed.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(10))));
        streams.start();
        failed.await();
        System.exit(1);
    }

    private static Topology topology(
            String orders, String prefix, List<Rule> rules, Duration flush, String store) {
        Topology topology = new Topology();
        topology.addSource("orders", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), orders);
        topology.addProcessor("wallet", () -> new WalletProcessor(new Rules(rules), flush), "orders");
        topology.addStateStore(store(store), "wallet");
        sink(topology, WalletProcessor.STATISTICS, prefix + "wallet-stats.v1");
        sink(topology, WalletProcessor.ALERTS, prefix + "alerts.v1");
        return topology;
    }

    /** Where states are: {@code rocksdb} or {@code memory} behind Streams' cache of bytes, or {@code live} objects. */
    private static StoreBuilder<?> store(String kind) {
        KeyValueBytesStoreSupplier bytes = kind.equals("rocksdb")
                ? Stores.persistentKeyValueStore(WalletProcessor.STORE)
                : Stores.inMemoryKeyValueStore(WalletProcessor.STORE);
        StoreBuilder<KeyValueStore<String, WalletState>> builder =
                Stores.keyValueStoreBuilder(bytes, Serdes.String(), new StateSerde());
        return kind.equals("live") ? new LiveStoreBuilder(builder) : builder.withCachingEnabled();
    }

    private static void sink(Topology topology, String name, String topic) {
        topology.addSink(name, topic, Serdes.String().serializer(), Serdes.ByteArray().serializer(), "wallet");
    }

    private static Properties settings(String[] given, Duration flush) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, given[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, given[5]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, given[7]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        // The processors ask for a commit after each flush; this is for a partition that nothing is heard of.
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 10 * flush.toMillis());
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, CACHE_BYTES);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.ACKS_CONFIG), "all");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 * 1024);
        settings.put(StreamsConfig.ENABLE_METRICS_PUSH_CONFIG, false);
        return settings;
    }
}
