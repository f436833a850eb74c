package wallets;

import java.nio.ByteBuffer;

/** Reads what {@link Out} wrote. */
final class In {
    private final ByteBuffer bytes;

    In(byte[] value) {
        bytes = ByteBuffer.wrap(value);
    }

    long number() {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            long next = bytes.get();
            value |= (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    int count() {
        return (int) number();
    }

    Token token() {
        return Token.read(bytes);
    }

    void longs(long[] into, int from, int to) {
        bytes.asLongBuffer().get(into, from, to - from);
        bytes.position(bytes.position() + (to - from) * Long.BYTES);
    }

    void ints(int[] into, int from, int to) {
        bytes.asIntBuffer().get(into, from, to - from);
        bytes.position(bytes.position() + (to - from) * Integer.BYTES);
    }
}
