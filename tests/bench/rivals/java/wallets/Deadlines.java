package wallets;

import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.Consumer;

/** When the statistics of wallets change without an order, one second each. */
final class Deadlines {
    private record Deadline(long second, String wallet) {}

    private final Map<String, Deadline> current = new HashMap<>();
    private final PriorityQueue<Deadline> queue =
            new PriorityQueue<>((one, other) -> Long.compare(one.second, other.second));

    void set(String wallet, long second) {
        if (second == Windows.NEVER) {
            current.remove(wallet);
            return;
        }
        Deadline known = current.get(wallet);
        if (known == null || known.second != second) {
            Deadline made = new Deadline(second, wallet);
            current.put(wallet, made);
            queue.add(made);
        }
    }

    /** Hand over the wallets whose time has come; they have none any more. */
    void take(long second, Consumer<String> due) {
        while (!queue.isEmpty() && queue.peek().second <= second) {
            Deadline first = queue.poll();
            if (current.remove(first.wallet, first)) {
                due.accept(first.wallet);
            }
        }
    }
}
