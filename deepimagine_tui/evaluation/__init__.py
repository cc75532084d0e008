"""The engine and the grader over question sets."""
