"""Whether an arm of a comparison helps: intervals, verdicts, label equivalents, plans."""
