package wallets;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A buffer that grows, for compact numbers and for JSON. */
final class Out {
    private static final byte[] MINIMUM = ascii(Long.toString(Long.MIN_VALUE));
    private byte[] bytes = new byte[8_192];
    private int size;

    static byte[] ascii(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    byte[] take() {
        byte[] taken = Arrays.copyOf(bytes, size);
        size = 0;
        return taken;
    }

    /** A number not below zero, seven bits a byte; one below takes ten bytes. */
    Out number(long value) {
        room(10);
        while ((value & ~0x7FL) != 0) {
            bytes[size++] = (byte) (value | 0x80);
            value >>>= 7;
        }
        bytes[size++] = (byte) value;
        return this;
    }

    Out bytes(byte[] value) {
        room(value.length);
        System.arraycopy(value, 0, bytes, size, value.length);
        size += value.length;
        return this;
    }

    Out longs(long[] values, int from, int to) {
        room((to - from) * Long.BYTES);
        ByteBuffer.wrap(bytes, size, (to - from) * Long.BYTES).asLongBuffer().put(values, from, to - from);
        size += (to - from) * Long.BYTES;
        return this;
    }

    Out ints(int[] values, int from, int to) {
        room((to - from) * Integer.BYTES);
        ByteBuffer.wrap(bytes, size, (to - from) * Integer.BYTES).asIntBuffer().put(values, from, to - from);
        size += (to - from) * Integer.BYTES;
        return this;
    }

    Out ascii(char character) {
        room(1);
        bytes[size++] = (byte) character;
        return this;
    }

    /** A number in decimal digits. */
    Out decimal(long value) {
        if (value == Long.MIN_VALUE) {
            return bytes(MINIMUM);
        }
        if (value < 0) {
            ascii('-');
            value = -value;
        }
        int digits = 1;
        for (long rest = value; rest >= 10; rest /= 10) {
            digits++;
        }
        room(digits);
        for (int place = size + digits - 1; place >= size; place--) {
            bytes[place] = (byte) ('0' + value % 10);
            value /= 10;
        }
        size += digits;
        return this;
    }

    private void room(int more) {
        if (size + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
