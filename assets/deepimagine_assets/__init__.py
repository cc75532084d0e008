"""What ships as data: the starter corpus, adapters and their cards."""
