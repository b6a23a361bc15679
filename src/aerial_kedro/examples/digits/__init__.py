"""The digits tutorial: handwritten digits, a regularised classifier and what it gets wrong."""
