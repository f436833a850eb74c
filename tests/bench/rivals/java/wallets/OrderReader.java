package wallets;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/** Reads values of {@code orders.v1}, field by field; what the job does not use is skipped. */
final class OrderReader {
    private static final int DIGITS = 32;
    private static final int HASH = 66;
    private final JsonFactory json = new JsonFactory();
    private final Order order = new Order();

    Order read(byte[] value) throws IOException {
        order.user = null;
        order.token = null;
        order.eventId = null;
        order.hasMarket = false;
        order.timestamp = -1;
        order.shares = -1;
        order.notional = -1;
        String side = null;
        try (JsonParser parser = json.createParser(value)) {
            parser.nextToken();
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                switch (name) {
                    case "user" -> order.user = parser.nextTextValue();
                    case "token_id" -> order.token = Token.of(parser.nextTextValue());
                    case "side" -> side = parser.nextTextValue();
                    case "shares" -> order.shares = parser.nextLongValue(-1);
                    case "timestamp" -> order.timestamp = parser.nextLongValue(-1);
                    case "notional_micros" -> order.notional = parser.nextLongValue(-1);
                    case "condition_id" -> market(parser.nextTextValue());
                    case "event_id" -> identity(parser.nextTextValue());
                    default -> skip(parser);
                }
            }
        }
        order.buy = "BUY".equals(side);
        check(order.buy || "SELL".equals(side));
        check(order.user != null && order.token != null && order.eventId != null);
        check(order.shares > 0 && order.timestamp >= 0 && order.notional >= 0);
        return order;
    }

    private static void skip(JsonParser parser) throws IOException {
        JsonToken token = parser.nextToken();
        if (token.isStructStart()) {
            parser.skipChildren();
        }
    }

    private void market(String condition) {
        if (condition != null) {
            check(condition.length() == HASH);
            order.market = Long.parseUnsignedLong(condition, HASH - 16, HASH, 16);
            order.hasMarket = true;
        }
    }

    private void identity(String id) {
        check(id.length() > DIGITS + 1 && id.charAt(DIGITS) == '-');
        order.eventId = id;
        order.idHigh = Long.parseUnsignedLong(id, 0, 16, 16);
        order.idLow = Long.parseUnsignedLong(id, 16, DIGITS, 16);
        order.occurrence = Integer.parseInt(id, DIGITS + 1, id.length(), 10);
    }

    private static void check(boolean right) {
        if (!right) {
            throw new IllegalArgumentException("no order");
        }
    }
}
