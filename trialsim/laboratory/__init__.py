"""The published laboratory facts (`evidence.laboratory`), each with the experiment that gives the model's value."""
