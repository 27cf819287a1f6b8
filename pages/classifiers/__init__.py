"""The screen of saved classifiers."""
