"""The Kafka shell that connector and streams share. Nothing here decides; what topics should be is in the contract."""
