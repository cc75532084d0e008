"""What runs in the background: each module owns one kind of worker and the messages that it posts."""
