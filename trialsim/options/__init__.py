"""Options of one trial side by side: populations and treatments, what is true of each in a world, and the trial that shows it."""
