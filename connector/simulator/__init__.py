"""A provider of our own: speaks Dome's WebSocket and REST protocol, and keeps the book."""
