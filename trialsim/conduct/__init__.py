"""The trial as it runs: protocol, biology and measurement meet, one patient-day at a time."""
