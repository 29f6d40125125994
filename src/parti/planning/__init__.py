"""Planning: where the design, the journal, measured profiles, prices, the simulator and the search meet."""
