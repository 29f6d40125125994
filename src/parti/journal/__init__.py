"""The journal as it is read: its entries, the names of runs and steps, and what follows from them."""
