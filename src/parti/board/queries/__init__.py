"""Read models of the board: pure questions to the design and the store, one file for each view."""
