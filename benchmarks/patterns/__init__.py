"""When label patterns pay, and where the time goes."""
