// Follows orders and coverage: a consumer to start from. Needs kafka-clients and Jackson on the class path.
//
//     java -cp 'kafka-clients.jar:jackson-*.jar:...' Orders.java BOOTSTRAP GROUP [PREFIX]
//
// Prints a JSON line for each order and each change of coverage. Commits after printing: what is printed when it is killed
// may be printed again, so keep event_id unique wherever you keep orders.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

public class Orders {
    static final int REMEMBERED = 100_000; // event ids; repetitions come soon after each other
    static final ObjectMapper JSON = new ObjectMapper();

    static final Set<String> seen = Collections.newSetFromMap(new LinkedHashMap<String, Boolean>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > REMEMBERED;
        }
    });
    static final Map<String, Long> covered = new HashMap<>();

    public static void main(String[] args) throws Exception {
        String prefix = args.length > 2 ? args[2] : "";
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("group.id", args[1]);
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        settings.put("isolation.level", "read_committed");
        var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            consumer.wakeup();
            try {
                main.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        consumer.subscribe(List.of(prefix + "orders.v1", prefix + "coverage.v1"));
        try {
            while (true) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    if (record.topic().endsWith("coverage.v1")) {
                        onCoverage(record.key(), record.value());
                    } else {
                        onOrder(JSON.readTree(record.value()));
                    }
                }
                System.out.flush();
                consumer.commitSync();
            }
        } catch (WakeupException stopped) {
            consumer.commitSync();
        } finally {
            consumer.close();
        }
    }

    static void onOrder(JsonNode order) throws Exception {
        if (seen.add(order.get("event_id").asText())) {
            var line = JSON.createObjectNode().put("order", order.get("event_id").asText());
            say(line.put("wallet", order.get("user").asText()).put("micros", order.get("notional_micros").asLong()));
        }
    }

    static void onCoverage(String wallet, byte[] value) throws Exception {
        if (value == null) { // a tombstone
            covered.remove(wallet);
            say(JSON.createObjectNode().put("forgotten", wallet));
        } else {
            covered.put(wallet, JSON.readTree(value).get("covered_until_ms").asLong());
            say(JSON.createObjectNode().put("covered", wallet).put("until_ms", covered.get(wallet)));
        }
    }

    static void say(JsonNode line) throws Exception {
        System.out.println(JSON.writeValueAsString(line));
    }
}
