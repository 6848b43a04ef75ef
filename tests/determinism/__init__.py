"""What is the same each time, and what is the same but for rounding."""
