package wallets;

/** What the job reads of an order; one object is used for all of them. */
final class Order {
    String user;
    Token token;
    boolean buy;
    long shares;
    long timestamp;
    long notional;
    boolean hasMarket;
    long market;
    String eventId;
    long idHigh;
    long idLow;
    int occurrence;
}
