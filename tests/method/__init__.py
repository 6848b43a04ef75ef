"""Tests of hdgan.method."""
