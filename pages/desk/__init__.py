"""The desk: photos to be marked, drawn in the browser, and what answers its requests."""
