"""What is known of the values of a run: which labels it has read, and where a value came from."""
