"""The map of a collection: its photos laid out in two dimensions, like beside like."""
