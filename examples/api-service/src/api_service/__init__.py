"""A small web service that keeps notes, in memory or in an S3 bucket."""

__version__ = "0.1.0"
