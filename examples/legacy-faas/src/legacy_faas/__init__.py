"""A function that summarizes samples and seals the summary for its reader."""

__version__ = "0.1.0"
