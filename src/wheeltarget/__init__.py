"""Wheels for a machine that is not this one: bundles from a Poetry lock for any target."""
