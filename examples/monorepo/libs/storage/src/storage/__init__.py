"""Notes."""

from text_tools import tidy


class Store:
    """Keeps notes in memory."""

    def __init__(self):
        self.notes = []

    def add(self, text):
        """Keep a note."""
        self.notes.append(tidy(text))
