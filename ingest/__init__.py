"""Bringing photos in: sources, download, and the pipeline from a photo to a row."""
