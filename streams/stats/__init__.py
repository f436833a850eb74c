"""Statistics as pure state: each record changes it, nothing else does; time is an argument."""
