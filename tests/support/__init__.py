"""Real wheels, a real index and independent choosers to test against."""
