"""How long a stroke takes to become a picture in the painter."""
