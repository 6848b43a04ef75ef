"""`hdgan synthesize`: a generator and a classifier to labelled drawings."""
