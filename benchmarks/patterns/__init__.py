"""When label patterns help, and where time is spent."""
