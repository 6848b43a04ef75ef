"""`hdgan show`: a module says what is to be told of each kind of artifact."""
