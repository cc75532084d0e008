"""What users type for a factor, read as its value. Imports nothing."""
