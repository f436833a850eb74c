"""Notifications of alerts to people: routed, grouped and held back as Alertmanager does it, and sent at least once."""
