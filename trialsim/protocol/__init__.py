"""What is done: doses, holds and reductions, visits. Pure functions of what the investigator can see."""
