"""Frozen data with no behaviour beyond its own meaning: what a run found."""
