"""How fast and how exact, on one published problem, beside other simulators."""
