"""What a trial is: the model, the registry formats and the concepts read from them. Pure."""
