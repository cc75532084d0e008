"""Where trials are kept, searched and fetched."""
