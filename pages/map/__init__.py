"""The map of a collection under a classifier."""
