"""The search for the cheapest plan that keeps its promises, over any staged simulation: it knows nothing of the simulator."""
