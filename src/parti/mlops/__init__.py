"""Models: training and measuring the versions that are stored and served."""
