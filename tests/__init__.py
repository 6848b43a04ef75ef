"""Tests of hdgan: the manual of what it does."""
