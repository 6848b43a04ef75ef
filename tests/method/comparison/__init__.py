"""Whether an arm helps: the numbers, and the evaluator as a whole."""
