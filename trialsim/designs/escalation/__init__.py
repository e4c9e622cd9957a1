"""Dose escalation: the dose of the next patients follows from the dose-limiting toxicities of the earlier ones.

A `queue.Queue` holds the patients, each with what would happen at every level; ``play(queue, rule)`` of `three_plus_three`,
`rolling_six`, `crm` or `boin` says what the design makes of them (`played.Played`); `conduct` is the calendar that they share.
"""
