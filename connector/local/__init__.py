"""The whole system on one machine: a real Apache Kafka without Docker, and everything that runs beside it."""
