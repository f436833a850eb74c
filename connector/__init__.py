"""Source connector: watched wallets' orders from a provider's WebSocket to Kafka."""
