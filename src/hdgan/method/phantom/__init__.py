"""Drawn tissue whose truth is known exactly, and the oracle that reads it back."""
