package wallets;

/** The buckets of one window that no shorter window holds, oldest first. */
final class Tier {
    private Bucket[] buckets = new Bucket[4];
    private int head;
    int size;

    Bucket get(int place) {
        return buckets[head + place];
    }

    Bucket last() {
        return buckets[head + size - 1];
    }

    /** The place of a bucket, or where it belongs; mostly it is the last or comes after it. */
    int find(long number) {
        int place = size;
        while (place > 0 && get(place - 1).number >= number) {
            place--;
        }
        return place;
    }

    void add(Bucket bucket) {
        insert(size, bucket);
    }

    void insert(int place, Bucket bucket) {
        if (head + size == buckets.length) {
            makeRoom();
        }
        System.arraycopy(buckets, head + place, buckets, head + place + 1, size - place);
        buckets[head + place] = bucket;
        size++;
    }

    void removeFirst(int count) {
        for (int place = 0; place < count; place++) {
            buckets[head + place] = null;
        }
        head += count;
        size -= count;
        if (size == 0) {
            head = 0;
        }
    }

    void removeLast() {
        buckets[head + --size] = null;
    }

    private void makeRoom() {
        Bucket[] larger = size > buckets.length / 2 ? new Bucket[buckets.length * 2] : buckets;
        System.arraycopy(buckets, head, larger, 0, size);
        for (int place = size; larger == buckets && place < head + size; place++) {
            buckets[place] = null;
        }
        buckets = larger;
        head = 0;
    }
}
