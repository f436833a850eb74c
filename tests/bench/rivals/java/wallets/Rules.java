package wallets;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.function.Consumer;

/** Asks all rules at an order that is in the statistics, and writes the alerts of those that fire. */
final class Rules {
    private final List<Rule> rules;
    private final double[] volumes = new double[Windows.LEVELS];
    private final long[] orders = new long[Windows.LEVELS];
    private final Out out = new Out();

    Rules(List<Rule> rules) {
        this.rules = rules;
    }

    void ask(WalletState state, Order order, long clock, Consumer<byte[]> alerts) {
        Windows windows = state.windows;
        Bucket newest = windows.end(0);
        for (int level = 0; level < Windows.LEVELS; level++) {
            Bucket before = windows.end(level + 1);
            volumes[level] = Rule.usdc(newest.bought - before.bought + newest.sold - before.sold);
            orders[level] = newest.orders - before.orders;
        }
        double size = Rule.usdc(order.notional);
        long age = clock - order.timestamp * 1_000;
        for (int number = 0; number < rules.size(); number++) {
            Rule rule = rules.get(number);
            if (rule.holds(volumes[rule.level()], orders[rule.level()], size)
                    && age <= rule.maxAgeMs()
                    && state.cooldowns.over(number, clock, rule.cooldownMs())) {
                state.cooldowns.note(number, clock);
                alerts.accept(alert(rule, order, size));
            }
        }
    }

    private byte[] alert(Rule rule, Order order, double size) {
        String money = new BigDecimal(size).setScale(2, RoundingMode.HALF_EVEN).toPlainString();
        String side = order.buy ? "BUY" : "SELL";
        String text = "{\"rule\":\"" + rule.id() + "\",\"wallet\":\"" + order.user
                + "\",\"event_id\":\"" + order.eventId
                + "\",\"values\":{\"volume\":" + volumes[rule.level()] + ",\"orders\":" + orders[rule.level()]
                + ",\"order.notional\":" + size + ",\"order.side\":\"" + side
                + "\"},\"message\":\"" + side + " for " + money + " USDC\"}";
        return out.bytes(Out.ascii(text)).take();
    }
}
