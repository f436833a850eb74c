"""An alert, and the same alert folded again: what is the same, what differs, what is missing; pure."""
