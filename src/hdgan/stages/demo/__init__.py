"""`hdgan demo`: the pipeline from a shipped generator, or from nothing, to a report."""
