"""The engine: from an anchor, one factor at a time, to an imagined result."""
