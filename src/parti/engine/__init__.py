"""The engine: runs a design durably on a store, a clock and a chance that are given to it."""
