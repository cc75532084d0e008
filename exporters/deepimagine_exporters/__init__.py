"""Figures, reports and data files made from a run."""
