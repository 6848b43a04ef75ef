"""What hdgan is made of, and that it keeps to itself."""
