"""The CLIP towers, the linear classifier and the labelling session."""
