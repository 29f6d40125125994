"""The simulator: queueing networks over arrays, from a seed; it knows nothing of the engine."""
