"""The registry's two formats, brought to one shape and built into a Trial. Nothing outside `trials` imports from here."""
