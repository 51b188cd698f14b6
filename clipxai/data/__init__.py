"""The embedded model and sample pictures."""
