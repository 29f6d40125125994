"""Where labels go: a monotone fixpoint over the slots of a design, with the way by which each label came."""
