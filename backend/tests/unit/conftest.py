"""Hypothesis for this folder: the same examples in every run, and few enough to take seconds."""

from hypothesis import settings

settings.register_profile("unit", derandomize=True, max_examples=100, deadline=None)
settings.load_profile("unit")
