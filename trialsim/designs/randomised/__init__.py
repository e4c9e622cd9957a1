"""Randomised trials: allocation, accrual, group-sequential bounds, sizes, and trials played on patients."""
