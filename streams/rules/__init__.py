"""Rules: conditions over orders and statistics, and the alerts they make. Pure."""
