"""Files that nobody should have made, and what each reader says of them."""
