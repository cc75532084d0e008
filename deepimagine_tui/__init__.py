"""DeepImagine: counterfactual clinical-trial results, imagined one factor at a time."""

__version__ = "0.1.0"
