"""How good a classifier is, estimated from photos that chance chose."""
