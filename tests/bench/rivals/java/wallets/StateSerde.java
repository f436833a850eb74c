package wallets;

import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** Gives the store its bytes. */
final class StateSerde implements Serde<WalletState> {
    private final StateCodec codec = new StateCodec();

    @Override
    public Serializer<WalletState> serializer() {
        return (topic, state) -> state == null ? null : codec.encode(state);
    }

    @Override
    public Deserializer<WalletState> deserializer() {
        return (topic, value) -> value == null ? null : codec.decode(value);
    }
}
