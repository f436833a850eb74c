package wallets;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One rule of three clauses: volume and orders of a window, and the size of the order at hand. Money is in USDC. */
record Rule(String id, int level, double volume, long orders, double size, long cooldownMs, long maxAgeMs) {
    private static final List<String> SPANS = List.of("1m", "5m", "1h", "24h");
    private static final double MICRO = 1e6;

    /** The rules of a file: a line each, the fields in this order, with a tab between. */
    static List<Rule> read(Path file) throws IOException {
        List<Rule> rules = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            String[] fields = line.split("\t");
            rules.add(new Rule(
                    fields[0],
                    SPANS.indexOf(fields[1]),
                    Double.parseDouble(fields[2]),
                    Long.parseLong(fields[3]),
                    Double.parseDouble(fields[4]),
                    Long.parseLong(fields[5]),
                    Long.parseLong(fields[6])));
        }
        return rules;
    }

    boolean holds(double volumeOfWindow, long ordersOfWindow, double sizeOfOrder) {
        return volumeOfWindow > volume && ordersOfWindow > orders && sizeOfOrder > size;
    }

    static double usdc(long micros) {
        return micros / MICRO;
    }
}
