"""The watch-list on the command line: `python -m connector watch`. It works on Kafka alone."""
