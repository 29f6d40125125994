"""The design: what a system declares, as frozen values without IO."""
