"""The labelling screen and the history of its sessions."""
