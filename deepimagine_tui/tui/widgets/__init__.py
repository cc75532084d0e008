"""The widgets that screens are made of: one file each."""
