"""Dead letters on the command line: `python -m connector dead`. It works on Kafka alone."""
