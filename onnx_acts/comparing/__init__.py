"""Comparing arrays: how far one is from another, and how far rounding alone explains."""
