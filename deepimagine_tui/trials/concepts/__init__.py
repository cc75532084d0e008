"""One canonical concept of a trial per function: declared fields, a stated order of preference, and "unknown" as an answer."""
