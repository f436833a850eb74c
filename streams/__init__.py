"""Stream processing on the orders topic: rolling statistics and alerts."""
