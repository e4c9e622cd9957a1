"""How a trial decides: who is treated at which dose, from what has been seen so far."""
