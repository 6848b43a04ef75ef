"""`hdgan evaluate`: predicted label maps against annotated ones."""
