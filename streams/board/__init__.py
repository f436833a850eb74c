"""
The live board: the derived topics on one page, for people.

A pure model (`model` and what it is made of) folds records into what is to be seen; `readers` feed it from Kafka like
any other consumer, `hub` sends each viewer what changed, `server` answers requests, and `static` is the page.
"""
