"""Text."""


def tidy(text):
    """The text with single spaces."""
    return " ".join(text.split())
