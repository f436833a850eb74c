package wallets;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/** An outcome token: its decimal id, and the 32 bytes of it. One object per token, so that they compare by reference. */
final class Token implements Comparable<Token> {
    static final int BYTES = 32;
    private static final int MOST = 65_536;
    private static final Map<String, Token> BY_TEXT = new HashMap<>();
    private static final Map<ByteBuffer, Token> BY_BYTES = new HashMap<>();

    final String text;
    final byte[] packed;
    /** For JSON. */
    final byte[] ascii;

    private Token(String text, byte[] packed) {
        this.text = text;
        this.packed = packed;
        this.ascii = text.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    static Token of(String text) {
        Token known = BY_TEXT.get(text);
        return known != null ? known : remember(text, new BigInteger(text));
    }

    /** The token of the next 32 bytes. */
    static Token read(ByteBuffer from) {
        ByteBuffer key = from.slice(from.position(), BYTES);
        from.position(from.position() + BYTES);
        Token known = BY_BYTES.get(key);
        if (known != null) {
            return known;
        }
        byte[] packed = new byte[BYTES];
        key.get(packed);
        BigInteger number = new BigInteger(1, packed);
        return remember(number.toString(), number);
    }

    private static Token remember(String asked, BigInteger number) {
        byte[] shortest = number.toByteArray();
        int sign = shortest.length > BYTES ? 1 : 0;
        if (number.signum() < 0 || shortest.length - sign > BYTES) {
            throw new IllegalArgumentException("token_id: expected a decimal number of 256 bits, got " + asked);
        }
        byte[] packed = new byte[BYTES];
        System.arraycopy(shortest, sign, packed, BYTES - shortest.length + sign, shortest.length - sign);
        if (BY_TEXT.size() > MOST) {
            throw new IllegalStateException("more than " + MOST + " tokens: they are one object each for good");
        }
        Token token = BY_BYTES.computeIfAbsent(ByteBuffer.wrap(packed), key -> new Token(number.toString(), packed));
        BY_TEXT.put(asked, token);
        return token;
    }

    @Override
    public int compareTo(Token other) {
        return java.util.Arrays.compareUnsigned(packed, other.packed);
    }
}
