"""Several arms and one control: trials that change who gets what as outcomes come in."""
