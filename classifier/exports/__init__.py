"""The ways out: what a classifier found, in the forms that other programs read."""
