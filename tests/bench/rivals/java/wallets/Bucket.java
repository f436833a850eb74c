package wallets;

/** Sums of all orders ever, up to the end of this bucket; and the largest order and the fresh members in it. */
final class Bucket {
    long number;
    long orders;
    long buys;
    long bought;
    long sold;
    long shares;
    long largest;
    long fresh;

    Bucket() {}

    /** A bucket that begins with the sums of the one before. */
    Bucket(Bucket before, long number) {
        this.number = number;
        orders = before.orders;
        buys = before.buys;
        bought = before.bought;
        sold = before.sold;
        shares = before.shares;
    }

    void count(boolean buy, long notional, long sharesOfOrder) {
        orders++;
        if (buy) {
            buys++;
            bought += notional;
            shares += sharesOfOrder;
        } else {
            sold += notional;
        }
    }
}
