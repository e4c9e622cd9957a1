"""Two drugs together: what is expected of them under a null of no interaction, in a dish and in a cohort, and which of many is
best."""
